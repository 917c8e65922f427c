"""What docs/schedules.md says of expressions and of changes of the clocks is what happens."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from support.schedules import moment, schedule, timetable
from windlass.plan.schedule import check_schedule
from windlass.plan.schedule.cron import ALIASES

PAGE = (Path(__file__).parents[3] / "docs" / "schedules.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\| `.*\| `([^`|]+ [^`|]+)` \| [^|]+ \|$", PAGE, re.MULTILINE)
DRAWN = re.findall(r"^(?:Forward|Back), (\S+), (\d+ \w+ \d+):\n\n```\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_was_read() -> None:
    assert (len(EXAMPLES), len(DRAWN)) == (21, 2)


@pytest.mark.parametrize("cron", EXAMPLES)
def test_examples_can_be_written(cron: str) -> None:
    assert check_schedule(schedule(cron), ("schedule",)) == []


def test_the_aliases_are_those_that_there_are() -> None:
    rows = re.findall(r"^\| ((?:`@\w+`(?:, )?)+) \| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert {alias.strip("`"): text for names, text in rows for alias in names.split(", ")} == ALIASES


ROWS = [
    (zone, day, *lines.splitlines()[:2], line)
    for zone, day, lines in DRAWN
    for line in lines.splitlines()[2:]
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row[-1][:16].strip() for row in ROWS])
def test_the_drawn_slots_are_those_that_come(row: tuple[str, str, str, str, str]) -> None:
    zone, day, wall, utc, line = row
    date = datetime.strptime(day, "%d %B %Y").date()
    columns = {found.start(): found[0] for found in re.finditer(r"\d\d:\d\d", utc)}
    drawn = [columns[found.start()] for found in re.finditer("●", line)]
    times = sorted(columns.values())
    table = timetable(line[:18].strip(), zone)
    slots = [*table.between(moment(f"{date} {times[0]}") - timedelta(seconds=1), moment(f"{date} {times[-1]}"))]
    assert [f"{slot:%H:%M}" for slot in slots] == drawn
    for column, time in columns.items():
        assert f"{table.local(moment(f'{date} {time}')):%H:%M}" == wall[column : column + 5]
