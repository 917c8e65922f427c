"""`windlass next`: the slots of a schedule, from a file or from the cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cli import FakeCluster, invoke, workflow

Body = dict[str, Any]

BERLIN = {"cron": "30 2 * * *", "timeZone": "Europe/Berlin"}
BUSINESS = {"cron": "0 9 * * *", "exclude": {"weekdays": ["SAT", "SUN"], "configMap": {"name": "holidays"}}}
HOLIDAYS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "holidays"}, "data": {"de": "2026-12-25\n"}}

SPRING = """\
LOCAL (Europe/Berlin)         UTC                    CLOCKS
Sat 2026-03-28 02:30 +01:00   2026-03-28T01:30:00Z
Sun 2026-03-29 03:00 +02:00   2026-03-29T01:00:00Z   forward 1h at 02:00; its own time is skipped
Mon 2026-03-30 02:30 +02:00   2026-03-30T00:30:00Z
"""
AUTUMN = """\
LOCAL (Europe/Berlin)         UTC                    CLOCKS
Sun 2026-10-25 02:00 +02:00   2026-10-25T00:00:00Z   the first 02:00
Sun 2026-10-25 02:30 +02:00   2026-10-25T00:30:00Z   the first 02:30
Sun 2026-10-25 02:00 +01:00   2026-10-25T01:00:00Z   back 1h at 03:00; the second 02:00
Sun 2026-10-25 02:30 +01:00   2026-10-25T01:30:00Z   the second 02:30
Mon 2026-10-26 02:00 +01:00   2026-10-26T01:00:00Z
"""
YEARLY = """\
LOCAL (Europe/Berlin)         UTC                    CLOCKS
Thu 2026-01-01 00:00 +01:00   2025-12-31T23:00:00Z
Fri 2027-01-01 00:00 +01:00   2026-12-31T23:00:00Z   forward 1h at 2026-03-29 02:00; back 1h at 2026-10-25 03:00
"""
KST = """\
LOCAL (Asia/Seoul)            UTC
Thu 2026-01-01 00:00 +09:00   2025-12-31T15:00:00Z
"""
CHRISTMAS = """\
LOCAL (UTC)                   UTC
Thu 2026-12-24 09:00 +00:00   2026-12-24T09:00:00Z
Mon 2026-12-28 09:00 +00:00   2026-12-28T09:00:00Z
"""
TABLES = {
    "forward, fixed": (BERLIN, ["--from", "2026-03-28", "--count", "3"], SPRING),
    "back, by a star": (
        {**BERLIN, "cron": "*/30 2 * * *"}, ["--from", "2026-10-25T00:00:00Z", "--count", "5"], AUTUMN,
    ),
    "changes long before a slot": ({**BERLIN, "cron": "@yearly"}, ["--from", "2026-01-01", "--count", "2"], YEARLY),
    "a zone whose clocks are never changed": (
        {"cron": "0 0 * * *", "timeZone": "Asia/Seoul"}, ["--from", "2026-01-01 00:00", "--count", "1"], KST,
    ),
}  # fmt: skip
"""By what they show: the schedule, the options, and what is printed."""


def written(path: Path, *documents: Body) -> str:
    file = path / "w.yaml"
    file.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("case", TABLES.values(), ids=TABLES.keys())
def test_slots_of_a_file(case: tuple[Body, list[str], str], tmp_path: Path) -> None:
    schedule, options, shown = case
    result = invoke(None, "next", written(tmp_path, workflow("daily", schedule=schedule)), *options)
    assert (result.exit_code, result.stdout, result.stderr) == (0, shown, "")


def test_slots_of_a_workflow_of_the_cluster() -> None:
    cluster = FakeCluster().add(workflow("daily", schedule=BERLIN))
    result = invoke(cluster, "next", "daily", "-n", "data", "--from", "2026-03-28", "--count", "3")
    assert (result.exit_code, result.stdout, result.stderr) == (0, SPRING, "")


def test_json_has_slot_and_local(tmp_path: Path) -> None:
    file = written(tmp_path, workflow("daily", schedule=BERLIN))
    result = invoke(None, "next", file, "--from", "2026-03-29", "--count", "2", "-o", "json")
    assert json.loads(result.stdout) == [
        {"slot": "2026-03-29T01:00:00Z", "local": "2026-03-29T03:00:00+02:00"},
        {"slot": "2026-03-30T00:30:00Z", "local": "2026-03-30T02:30:00+02:00"},
    ]


def test_without_from_slots_are_later_than_now_and_ten(tmp_path: Path) -> None:
    file = written(tmp_path, workflow("daily", schedule={"cron": "* * * * *"}))
    assert len(json.loads(invoke(None, "next", file, "-o", "json").stdout)) == 10


def test_the_calendar_is_read_where_the_schedule_is(tmp_path: Path) -> None:
    body, options = workflow("daily", schedule=BUSINESS), ["--from", "2026-12-24", "--count", "2"]
    in_cluster = invoke(FakeCluster().add(body, HOLIDAYS), "next", "daily", *options)
    in_file = invoke(None, "next", written(tmp_path, HOLIDAYS, body), *options)
    assert (in_cluster.stdout, in_cluster.stderr) == (in_file.stdout, in_file.stderr) == (CHRISTMAS, "")


def test_a_file_without_its_calendar_says_so(tmp_path: Path) -> None:
    result = invoke(None, "next", written(tmp_path, workflow("daily", schedule=BUSINESS)), "--from", "2026-12-24")
    assert "Fri 2026-12-25 09:00" in result.stdout
    assert result.stderr == (
        "the days of the ConfigMap holidays are not known here, and left out: "
        "put it into the same file, or ask for the Workflow by its name\n"
    )


def test_what_is_wrong_in_a_calendar_is_told(tmp_path: Path) -> None:
    holidays = {**HOLIDAYS, "data": {"de": "2026-12-25\nChristmas\n"}}
    result = invoke(None, "next", written(tmp_path, workflow("daily", schedule=BUSINESS), holidays))
    assert result.stderr == 'ConfigMap holidays: data.de: line 2: "Christmas" is no day; write 2026-12-25\n'


def test_of_several_workflows_one_is_chosen_by_its_name(tmp_path: Path) -> None:
    file = written(tmp_path, workflow("a", schedule=BERLIN), workflow("b", schedule={"cron": "@daily"}), workflow("c"))
    result = invoke(None, "next", file)
    message = f"windlass: {file} holds 2 Workflows with a schedule (a, b): choose one with --name\n"
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", message)
    assert "LOCAL (UTC)" in invoke(None, "next", file, "--name", "b").stdout
    result = invoke(None, "next", file, "--name", "c")
    assert (result.exit_code, result.stderr) == (1, f"windlass: {file} holds no Workflow c with a schedule\n")


H_NOTE = "H is made of the namespace too: taken for default, name another with -n\n"
NOTES = {
    "suspended": ({**BERLIN, "suspend": True}, "daily is suspended: none of these slots fires until it is resumed\n"),
    "continuous": ({"cron": "@continuous"}, "daily is @continuous: a run starts as soon as the last has ended\n"),
    "once": ({"cron": "@once"}, "daily is @once, and has no start: it runs when it is created\n"),
    "over": ({**BERLIN, "end": "2020-01-01T00:00:00Z"}, "daily has no slot from then on\n"),
    "follows": ({"after": {"any": [{"workflow": "a"}]}}, "daily follows a (Succeeded): it has no slots\n"),
    "hashed": ({"cron": "H H * * *"}, H_NOTE),
    "not hashed": ({"cron": "0 2 * MAR THU"}, ""),
}


@pytest.mark.parametrize("case", NOTES.values(), ids=NOTES.keys())
def test_notes(case: tuple[Body, str], tmp_path: Path) -> None:
    schedule, note = case
    result = invoke(None, "next", written(tmp_path, workflow("daily", schedule=schedule)))
    assert (result.exit_code, result.stderr) == (0, note)


def test_without_slots_json_is_an_empty_list(tmp_path: Path) -> None:
    file = written(tmp_path, workflow("daily", schedule={"cron": "@continuous"}))
    assert json.loads(invoke(None, "next", file, "-o", "json").stdout) == []


def test_once_has_its_start_or_its_creation() -> None:
    cluster = FakeCluster().add(workflow("daily", schedule={"cron": "@once"}))
    result = invoke(cluster, "next", "daily", "--from", "2020-01-01", "-o", "json")
    assert [entry["slot"] for entry in json.loads(result.stdout)] == ["2025-04-01T12:00:00Z"]


FAILURES = {
    "a bad schedule": (
        workflow("daily", schedule={"cron": "0 0 30 2 *", "timeZone": "Asia/Soul"}),
        'windlass: daily: spec.schedule.timeZone: there is no time zone "Asia/Soul"; did you mean Asia/Seoul or '
        "Asia/Oral?\n",
    ),
    "what is no schedule": (
        workflow("daily", schedule={"cron": 5}),
        'windlass: daily: spec.schedule.cron: "5" is wrong: '
        'it must be a cron expression such as "0 2 * * *", or a list of them\n',
    ),
    "no schedule": (workflow("daily"), "windlass: FILE holds no Workflow with a schedule\n"),
    "no Workflow": (HOLIDAYS, "windlass: FILE holds no Workflow\n"),
}


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES.keys())
def test_failures(case: tuple[Body, str], tmp_path: Path) -> None:
    body, message = case
    file = written(tmp_path, body)
    result = invoke(None, "next", file)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", message.replace("FILE", file))


def test_failures_of_the_cluster() -> None:
    cluster = FakeCluster().add(workflow("daily", schedule=BUSINESS), workflow("hello"))
    for args, message in (
        (["dayly"], 'windlass: there is no Workflow "dayly" in the namespace data; did you mean "daily"?\n'),
        (["hello"], "windlass: the Workflow hello has no schedule\n"),
        (["daily"], "windlass: the calendar's ConfigMap holidays is not in the namespace data\n"),
    ):
        result = invoke(cluster, "next", *args)
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", message)


@pytest.mark.parametrize("given", ["yesterday", "2026-02-30", "20260329", "2026-03-29T25:00Z"])
def test_an_instant_that_is_none(given: str, tmp_path: Path) -> None:
    result = invoke(None, "next", written(tmp_path, workflow("daily", schedule=BERLIN)), "--from", given)
    assert (result.exit_code, "is no instant: write 2026-03-29T00:00:00Z" in result.stderr) == (2, True)
