"""When schedules fire: pure functions of an expression, a time zone, a calendar, and a moment.

`compile_schedule` makes a Timetable of a Schedule, and `check_schedule` says what is wrong with one. Whether a slot is
run, late, or missed is not decided here.
"""

from windlass.plan.schedule.calendar import days_of
from windlass.plan.schedule.checks import ScheduleError, check_schedule, compile_schedule
from windlass.plan.schedule.slots import Timetable

__all__ = ["ScheduleError", "Timetable", "check_schedule", "compile_schedule", "days_of"]
