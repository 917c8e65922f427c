"""The next slot of a schedule, and what it costs to compile one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from figures import Figure

from cluster import Setting
from windlass.models.schedule import Schedule
from windlass.plan.schedule import Timetable, compile_schedule

ROUNDS: Final = 2000
NOW: Final = datetime(2026, 3, 27, 10, 30, 17, tzinfo=UTC)
"""Two days before the clocks of Europe are put forward."""
TYPICAL: Final[dict[str, dict[str, Any]]] = {
    "each five minutes": {"cron": "*/5 * * * *"},
    "daily, Seoul": {"cron": "0 2 * * *", "timeZone": "Asia/Seoul"},
    "daily, Berlin": {"cron": "30 2 * * *", "timeZone": "Europe/Berlin"},
    "weekdays, New York": {"cron": "0 9 * * MON-FRI", "timeZone": "America/New_York"},
    "hashed": {"cron": "H H * * *"},
    "the last day of the month": {"cron": "0 0 L * *", "timeZone": "America/Sao_Paulo"},
    "the second Friday or the 15th": {"cron": "0 0 15 * FRI#2"},
    "two expressions": {"cron": ["0 9 * * MON", "0 17 * * FRI"], "timeZone": "Europe/Berlin"},
    "business days, shifted": {
        "cron": "0 9 * * *", "exclude": {"weekdays": ["SAT", "SUN"], "dates": ["2026-04-03"]}, "shift": "Next"
    },
    "yearly": {"cron": "@yearly", "timeZone": "Europe/Berlin"},
}  # fmt: skip


async def measure(setting: Setting) -> list[Figure]:
    rounds = setting.size(ROUNDS)
    schedules = {name: Schedule.model_validate(fields, by_alias=True) for name, fields in TYPICAL.items()}
    tables = {name: _compile(schedule, 0) for name, schedule in schedules.items()}
    after = {name: _median(rounds, _next(table)) for name, table in tables.items()}
    before = {name: _median(rounds, _previous(table)) for name, table in tables.items()}
    daily = schedules["daily, Berlin"]
    compiled = _median(rounds, lambda number: _compile(daily, number))
    hashed = _median(rounds, lambda number: _compile(schedules["hashed"], number))
    return [
        Figure("next slot, the slowest of ten typical schedules", max(after.values()), "µs", 100, 50, details=after),
        Figure("next slot, a daily schedule", after["daily, Berlin"], "µs", 100, 20),
        Figure("slot before, the slowest of these", max(before.values()), "µs", details=before),
        Figure("checking and compiling a schedule whose like was seen", compiled, "µs"),
        Figure("checking and compiling one with a hash of its own", hashed, "µs"),
    ]


def _compile(schedule: Schedule, number: int) -> Timetable:
    return compile_schedule(schedule, identity=f"bench/{number}")


def _next(table: Timetable) -> Callable[[int], object]:
    return lambda number: table.next_after(NOW + timedelta(minutes=number))


def _previous(table: Timetable) -> Callable[[int], object]:
    return lambda number: table.previous_before(NOW + timedelta(minutes=number))


def _median(rounds: int, act: Callable[[int], object]) -> float:
    """Microseconds of processor time of one call: the median of batches of ten."""
    act(0)
    batches = []
    for batch in range(max(1, rounds // 10)):
        began = time.thread_time_ns()
        for number in range(10 * batch, 10 * batch + 10):
            act(number)
        batches.append((time.thread_time_ns() - began) / 10_000)
    return statistics.median(batches)
