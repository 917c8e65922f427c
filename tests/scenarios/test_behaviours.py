"""What must be the same everywhere, on the development cluster: single runs, several of a Workflow, and schedules.

They wait more than they work, so all are played at the same time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from support.behaviours import BEHAVIOURS, finish, start
from support.clusters import Cluster
from support.line import LINES
from support.schedule_behaviours import BEHAVIOURS as SCHEDULES
from support.schedule_behaviours import play
from support.side_by_side import chosen, side_by_side

AT_ONCE = 10
Ended = Callable[[str], None]


@pytest.fixture(scope="module")
def ended(dev_cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Ended]:
    """Waits for the end of a case by its name, of all that are chosen."""
    rows = chosen(request, "row")
    start(dev_cluster, rows)
    cases: dict[str, Callable[[], None]] = {
        **{name: partial(_schedule, dev_cluster, name) for name in chosen(request, "schedule")},
        **{name: partial(LINES[name], dev_cluster) for name in chosen(request, "line")},
        **{name: partial(finish, dev_cluster, name) for name in rows},
    }
    with side_by_side(cases, AT_ONCE) as waits:
        yield waits


def _schedule(cluster: Cluster, name: str) -> None:
    asyncio.run(play(cluster, SCHEDULES[name]))


@pytest.mark.parametrize("row", [name for name, row in BEHAVIOURS.items() if not row.real_only])
def test_behaviour(ended: Ended, row: str) -> None:
    ended(row)


@pytest.mark.parametrize("line", LINES)
def test_line(ended: Ended, line: str) -> None:
    ended(line)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules(ended: Ended, schedule: str) -> None:
    ended(schedule)
