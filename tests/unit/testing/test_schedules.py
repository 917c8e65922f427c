"""Schedules in a simulation: which runs there are, when they start, and how they end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from windlass.testing import Run, SimulationError, simulate

START = "2025-04-01T00:00:00Z"


def workflow(schedule: dict[str, Any], tasks: list[dict[str, Any]] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w"},
        "spec": {"schedule": schedule, "tasks": tasks or [{"name": "a", "script": "true"}], **spec},
    }


def told(run: Run) -> tuple[str, str, str, str]:
    """What a run is called by its slot, how it ended, and when it started and ended."""

    def at(moment: datetime | None) -> str:
        return f"{moment:%d %H:%M:%S}" if moment is not None else ""

    return run.name.removeprefix("w-"), str(run.phase), at(run.started_at), at(run.finished_at)


@dataclass(frozen=True)
class Case:
    """What is simulated, and the runs that there are."""

    definition: Mapping[str, Any]
    runs: list[tuple[str, str, str, str]]
    given: Mapping[str, Any] = field(default_factory=dict)
    missed: int = 0
    skipped: int = 0


DAILY = {"cron": "0 2 * * *"}
TENTHS = {"cron": "*/10 * * * *"}
AWAY = {"end": "2025-04-05T12:00:00Z", "outages": [("2025-04-02T00:00:00Z", "2025-04-04T12:00:00Z")]}
CASES = {
    "a slot each, later than the start and not later than the end": Case(
        workflow({"cron": "0 0 * * *"}),
        [
            ("20250402t0000", "Succeeded", "02 00:00:00", "02 00:01:01"),
            ("20250403t0000", "Succeeded", "03 00:00:00", "03 00:01:01"),
        ],
        {"end": "2025-04-03T00:00:00Z"},
    ),
    "the first slot, without an end": Case(
        workflow(DAILY), [("20250401t0200", "Succeeded", "01 02:00:00", "01 02:01:01")]
    ),
    "none, before the first slot": Case(workflow(DAILY), [], {"end": "2025-04-01T01:00:00Z"}),
    "none after the schedule's own end": Case(
        workflow({**DAILY, "end": "2025-04-02T00:00:00Z"}),
        [("20250401t0200", "Succeeded", "01 02:00:00", "01 02:01:01")],
        {"end": "2025-04-05T00:00:00Z"},
    ),
    "none while it is suspended": Case(workflow({**DAILY, "suspend": True}), [], {"end": "2025-04-05T00:00:00Z"}),
    "in another zone": Case(
        workflow({**DAILY, "timeZone": "Asia/Seoul"}),
        [("20250401t1700", "Succeeded", "01 17:00:00", "01 17:01:01")],
        {"end": "2025-04-02T00:00:00Z"},
    ),
    "one at a time: others wait": Case(
        workflow(TENTHS),
        [
            ("20250401t0010", "Succeeded", "01 00:10:00", "01 00:25:01"),
            ("20250401t0020", "Succeeded", "01 00:25:01", "01 00:40:02"),
            ("20250401t0030", "Succeeded", "01 00:40:02", "01 00:55:03"),
        ],
        {"end": "2025-04-01T00:30:00Z", "duration": "15m"},
    ),
    "two at a time": Case(
        workflow(TENTHS, concurrency={"maxActiveRuns": 2}),
        [
            ("20250401t0010", "Succeeded", "01 00:10:00", "01 00:25:01"),
            ("20250401t0020", "Succeeded", "01 00:20:00", "01 00:35:01"),
            ("20250401t0030", "Succeeded", "01 00:30:00", "01 00:45:01"),
        ],
        {"end": "2025-04-01T00:30:00Z", "duration": "15m"},
    ),
    "Skip": Case(
        workflow(TENTHS, concurrency={"policy": "Skip"}),
        [
            ("20250401t0010", "Succeeded", "01 00:10:00", "01 00:25:01"),
            ("20250401t0030", "Succeeded", "01 00:30:00", "01 00:45:01"),
        ],
        {"end": "2025-04-01T00:30:00Z", "duration": "15m"},
        skipped=1,
    ),
    "Replace": Case(
        workflow(TENTHS, concurrency={"policy": "Replace"}),
        [
            ("20250401t0010", "Cancelled", "01 00:10:00", "01 00:20:00"),
            ("20250401t0020", "Succeeded", "01 00:20:00", "01 00:35:01"),
        ],
        {"end": "2025-04-01T00:20:00Z", "duration": "15m"},
    ),
    "depends on the past: what failed holds the rest": Case(
        workflow(DAILY, dependsOnPast=True),
        [
            ("20250401t0200", "Succeeded", "01 02:00:00", "01 02:01:01"),
            ("20250402t0200", "Failed", "02 02:00:00", "02 02:01:01"),
            ("20250403t0200", "Queued", "", ""),
        ],
        {"end": "2025-04-03T12:00:00Z", "fail": "a@2025-04-02"},
    ),
    "away, catch up None": Case(
        workflow(DAILY),
        [
            ("20250401t0200", "Succeeded", "01 02:00:00", "01 02:01:01"),
            ("20250405t0200", "Succeeded", "05 02:00:00", "05 02:01:01"),
        ],
        AWAY,
        missed=3,
    ),
    "away, catch up Latest": Case(
        workflow({**DAILY, "catchUp": "Latest"}),
        [
            ("20250401t0200", "Succeeded", "01 02:00:00", "01 02:01:01"),
            ("20250404t0200", "Succeeded", "04 12:00:00", "04 12:01:01"),
            ("20250405t0200", "Succeeded", "05 02:00:00", "05 02:01:01"),
        ],
        AWAY,
        missed=2,
    ),
    "away, catch up All": Case(
        workflow({**DAILY, "catchUp": "All"}),
        [
            ("20250401t0200", "Succeeded", "01 02:00:00", "01 02:01:01"),
            ("20250402t0200", "Succeeded", "04 12:00:00", "04 12:01:01"),
            ("20250403t0200", "Succeeded", "04 12:01:01", "04 12:02:02"),
            ("20250404t0200", "Succeeded", "04 12:02:02", "04 12:03:03"),
            ("20250405t0200", "Succeeded", "05 02:00:00", "05 02:01:01"),
        ],
        AWAY,
    ),
    "a start in the past, caught up": Case(
        workflow({**DAILY, "catchUp": "All", "start": "2025-03-31T00:00:00Z"}),
        [
            ("20250331t0200", "Succeeded", "01 00:00:00", "01 00:01:01"),
            ("20250401t0200", "Succeeded", "01 02:00:00", "01 02:01:01"),
        ],
    ),
    "a run goes on while nobody plans": Case(
        workflow(DAILY, [{"name": "a", "script": "true"}, {"name": "b", "script": "true", "dependsOn": ["a"]}]),
        [("20250401t0200", "Succeeded", "01 02:00:00", "01 03:01:01")],
        {"outages": [("2025-04-01T02:00:30Z", "2025-04-01T03:00:00Z")]},
    ),
    "@once": Case(
        workflow({"cron": "@once"}),
        [("20250401t0000", "Succeeded", "01 00:00:00", "01 00:01:01")],
        {"end": "2025-05-01T00:00:00Z"},
    ),
    "@continuous": Case(
        workflow({"cron": "@continuous"}),
        [
            ("20250401t0000", "Succeeded", "01 00:00:00", "01 00:01:01"),
            ("250401t000101", "Succeeded", "01 00:01:01", "01 00:02:02"),
        ],
        {"end": "2025-04-01T00:02:00Z"},
    ),
    "@continuous, without an end": Case(
        workflow({"cron": "@continuous"}), [("20250401t0000", "Succeeded", "01 00:00:00", "01 00:01:01")]
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_schedule(case: Case) -> None:
    result = simulate(case.definition, start=START, **case.given)
    assert ([told(run) for run in result], result.missed, result.skipped) == (case.runs, case.missed, case.skipped)


def test_what_a_run_knows_of_its_slot() -> None:
    script = "{{ ds }} {{ data_interval_start }} {{ data_interval_end }} {{ prev_success | tojson }}"
    definition = workflow({**DAILY, "timeZone": "Asia/Seoul"}, [{"name": "a", "script": script}])
    result = simulate(definition, start=START, end="2025-04-03T00:00:00Z", params={})
    first, second = result.runs
    assert (first.trigger, first.slot, first.logical_date) == ("Schedule", first.created_at, first.created_at)
    assert first.launches("a")[0].script == "2025-04-02 2025-03-31T17:00:00Z 2025-04-01T17:00:00Z null"
    assert second.launches("a")[0].environment["WINDLASS_DATA_INTERVAL_START"] == "2025-04-01T17:00:00Z"
    assert '"run":"w-20250401t1700"' in str(second.launches("a")[0].script)
    assert result.run("2025-04-02T02:00:00+09:00") is first


def test_what_people_are_told_of_slots() -> None:
    result = simulate(workflow(DAILY), start=START, **AWAY)
    assert [(f"{event.at:%d %H:%M}", event.reason, event.note) for event in result.events] == [
        (
            "04 12:00",
            "SlotsMissed",
            "3 slots were missed, 2025-04-02T02:00:00Z to 2025-04-04T02:00:00Z: they were noticed too late "
            "(catchUp is None)",
        )
    ]


def test_a_run_that_is_late_is_told_once() -> None:
    definition = workflow(TENTHS, deadline={"after": "12m"})
    result = simulate(definition, start=START, end="2025-04-01T00:20:00Z", duration="11m")
    assert [[(f"{event.at:%H:%M:%S}", event.reason) for event in run.events] for run in result] == [
        [],
        [("00:32:00", "DeadlineMissed")],
    ]


def test_history_deletes_runs_of_the_world_and_none_of_the_result() -> None:
    definition = workflow({"cron": "0 * * * *"}, history={"succeeded": 1})
    result = simulate(definition, start=START, end="2025-04-02T00:00:00Z")
    assert (len(result), result.succeeded) == (24, True)


def test_a_failure_of_one_day() -> None:
    definition = workflow({**DAILY, "timeZone": "Asia/Seoul"})
    for day in ("2025-04-03", "2025-04-02T17:00:00Z", "2025-04-03T02:00:00+09:00"):
        result = simulate(definition, start=START, end="2025-04-04T00:00:00Z", fail=[f"a@{day}"])
        assert [str(run.phase) for run in result] == ["Succeeded", "Failed", "Succeeded"]


WRONG = {
    "an outage that ends before it begins": (
        {"outages": [("2025-04-02T00:00:00Z", "2025-04-01T00:00:00Z")]},
        "an outage ends at 2025-04-01T00:00:00Z, before it begins, at 2025-04-02T00:00:00Z",
    ),
    "an outage without a zone": (
        {"outages": [("2025-04-02T00:00:00", "2025-04-03T00:00:00Z")]},
        "an outage: '2025-04-02T00:00:00' has no time zone: write 2025-04-02T00:00:00Z for UTC",
    ),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_what_can_not_be_played(case: tuple[dict[str, Any], str]) -> None:
    given, message = case
    with pytest.raises(SimulationError) as error:
        simulate(workflow(DAILY), start=START, **given)
    assert str(error.value) == message
