from __future__ import annotations

from typing import Any

import pytest

from support.cli import FakeCluster, invoke, run, workflow
from windlass.errors import Forbidden

SEOUL = {"cron": "0 2 * * *", "timeZone": "Asia/Seoul"}


def cluster() -> FakeCluster:
    earlier = run("sales-20250401t1700", "Succeeded", workflow="sales")
    earlier["spec"]["logicalDate"] = "2025-04-02T02:00:00+09:00"
    other = run("hello-1", "Running", workflow="hello")
    other["spec"]["logicalDate"] = "2025-04-01T17:00:00Z"
    params = {"limit": {"type": "integer"}}
    return FakeCluster().add(workflow("sales", schedule=SEOUL, params=params), workflow("hello"), earlier, other)


def created(found: FakeCluster) -> list[dict[str, Any]]:
    return [body for verb, _, body in found.changes if verb == "create"]


DATES = {
    "an instant": ("2025-04-05T17:00:00Z", "2025-04-05T17:00:00Z"),
    "an instant of a zone": ("2025-04-05T17:00:00+09:00", "2025-04-05T08:00:00Z"),
    "a day of the schedule's zone": ("2025-04-05", "2025-04-04T15:00:00Z"),
}


@pytest.mark.parametrize("case", DATES.values(), ids=DATES.keys())
def test_a_run_at_a_logical_date(case: tuple[str, str]) -> None:
    date, logical_date = case
    found = cluster()
    result = invoke(found, "trigger", "sales", "--date", date, "-p", "limit=5")
    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        "workflowrun.windlass.dev/sales-x2v9p created\n",
        "",
    )
    assert created(found) == [
        {
            "apiVersion": "windlass.dev/v1alpha1",
            "kind": "WorkflowRun",
            "metadata": {"generateName": "sales-", "namespace": "data"},
            "spec": {"workflow": "sales", "params": {"limit": 5}, "logicalDate": logical_date},
        }
    ]


def test_a_run_of_that_date_is_told_and_stays() -> None:
    found = cluster()
    result = invoke(found, "trigger", "sales", "--date", "2025-04-01T17:00:00Z")
    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        "workflowrun.windlass.dev/sales-x2v9p created\n",
        "warning: there is a run of sales for 2025-04-01T17:00:00Z already: sales-20250401t1700 (Succeeded)\n",
    )
    assert [body["spec"]["logicalDate"] for body in created(found)] == ["2025-04-01T17:00:00Z"]


def test_without_a_date_the_run_is_about_its_creation() -> None:
    found = cluster()
    assert invoke(found, "trigger", "hello", "-o", "name").stdout == "workflowrun.windlass.dev/hello-x2v9p\n"
    assert created(found)[0]["spec"] == {"workflow": "hello"}


REFUSED = {
    "no zone": (
        ["sales", "--date", "2025-04-01T17:00:00"],
        2,
        "windlass trigger: --date 2025-04-01T17:00:00 has no time zone: write 2025-04-01T17:00:00Z for UTC "
        "(see windlass trigger --help)",
    ),
    "no day": (
        ["sales", "--date", "2025-02-30"],
        2,
        "windlass trigger: --date '2025-02-30' is no date: write 2025-04-01T17:00:00Z, or "
        "2025-04-01 (see windlass trigger --help)",
    ),
    "no instant": (
        ["sales", "--date", "yesterday"],
        2,
        "windlass trigger: --date 'yesterday' is no date: write 2025-04-01T17:00:00Z, or "
        "2025-04-01 (see windlass trigger --help)",
    ),
    "nothing": (
        ["sales", "--date", ""],
        2,
        "windlass trigger: --date '' is no date: write 2025-04-01T17:00:00Z, or 2025-04-01 "
        "(see windlass trigger --help)",
    ),
    "no such Workflow": (
        ["salse"],
        1,
        'windlass: there is no Workflow "salse" in the namespace data; did you mean "sales"?',
    ),
    "a parameter of a wrong type": (
        ["sales", "-p", "limit=many"],
        2,
        "windlass trigger: -p limit: 'many' is not of type 'integer' (see windlass trigger --help)",
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_refused(case: tuple[list[str], int, str]) -> None:
    args, code, message = case
    found = cluster()
    result = invoke(found, "trigger", *args)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"{message}\n")
    assert created(found) == []


ENDS = {"Succeeded": 0, "Failed": 1, "Refused": 1}


@pytest.mark.parametrize("phase", ENDS)
def test_waiting_for_the_end(phase: str) -> None:
    found = cluster()
    found.steps = [run("sales-x2v9p", phase, workflow="sales")]
    result = invoke(found, "trigger", "sales", "--wait")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (
        ENDS[phase],
        f"workflowrun.windlass.dev/sales-x2v9p {phase.lower()}",
    )


def test_following_shows_the_run() -> None:
    found = cluster()
    found.steps = [run("sales-x2v9p", "Failed", [{"name": "a", "phase": "Failed"}], workflow="sales")]
    result = invoke(found, "trigger", "sales", "--follow")
    assert result.exit_code == 1
    assert "✖ a  Failed" in result.stdout


def test_who_may_not_read_workflows_and_runs_may_still_create_one() -> None:
    found = cluster()

    class Denied(FakeCluster):
        async def get(self, *_: Any) -> Any:
            raise Forbidden("get", 403, "Forbidden")

        async def list_all(self, *_: Any, **__: Any) -> Any:
            raise Forbidden("list", 403, "Forbidden")

    denied = Denied(objects=found.objects)
    result = invoke(denied, "trigger", "sales", "--date", "2025-04-01")
    assert (result.exit_code, result.stderr) == (
        0,
        "warning: you may not read the Workflow sales: the day is taken as one of UTC\n",
    )
    assert created(denied)[0]["spec"] == {"workflow": "sales", "logicalDate": "2025-04-01T00:00:00Z"}
