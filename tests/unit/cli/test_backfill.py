"""`windlass backfill`, `windlass backfills`, and the switches of what is no run."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from rich.console import Console

from support.cli import FakeCluster, invoke, workflow
from windlass.cli.backfilling import _bar, watch
from windlass.cli.cluster import Cluster

Body = dict[str, Any]
RANGE = ("--from", "2025-04-01", "--to", "2025-04-03")


def backfill(name: str = "sales-x2v9p", phase: str | None = None, *, version: int = 2, **status: Any) -> Body:
    found: Body = {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Backfill",
        "metadata": {
            "name": name,
            "namespace": "data",
            "creationTimestamp": "2025-04-05T12:00:00Z",
            "resourceVersion": str(version),
        },
        "spec": {"workflow": "sales", "from": "2025-04-01", "to": "2025-04-03"},
    }
    if phase is not None:
        found["status"] = {"phase": phase, **status}
    return found


def made(cluster: FakeCluster) -> list[Body]:
    return [body for verb, _, body in cluster.changes if verb == "create"]


SPECS: dict[str, tuple[list[str], Body]] = {
    "the range alone": ([], {}),
    "all options": (
        ["--order", "newest", "--reprocess", "failed", "--max-active", "3", "-p", "limit=5", "--priority", "7",
         "--stop-after", "2"],
        {"order": "Newest", "reprocess": "Failed", "maxActiveRuns": 3, "params": {"limit": 5}, "priority": 7,
         "stopAfterFailures": 2},
    ),
    "as the manifest writes it": (["--order", "Oldest", "--reprocess", "All"], {"order": "Oldest", "reprocess": "All"}),
}  # fmt: skip


@pytest.mark.parametrize(("options", "spec"), SPECS.values(), ids=SPECS.keys())
def test_what_is_made(options: list[str], spec: Body) -> None:
    cluster = FakeCluster().add(workflow("sales", params={"limit": {"type": "integer"}}))
    result = invoke(cluster, "backfill", "sales", *RANGE, *options, "--detach")
    assert (result.exit_code, result.stdout) == (0, "backfill.windlass.dev/sales-x2v9p created\n")
    assert made(cluster) == [
        {
            "apiVersion": "windlass.dev/v1alpha1",
            "kind": "Backfill",
            "metadata": {"generateName": "sales-", "namespace": "data"},
            "spec": {"workflow": "sales", "from": "2025-04-01", "to": "2025-04-03", **spec},
        }
    ]


def test_its_progress_is_shown_until_it_has_ended() -> None:
    steps = [
        backfill(phase="Running", message="0 of 3 slots done: 1 active", failed=0),
        backfill(phase="Running", message="1 of 3 slots done: 1 succeeded, 1 active", failed=0),
        backfill(phase="Running", message="2 of 3 slots done: 1 succeeded, 1 failed, 1 active", failed=1),
        backfill(
            phase="Failed", reason="RunsFailed", message="all slots are done: 2 succeeded, 1 failed", failed=1,
            failures=[{"slot": "2025-04-02T02:00:00Z", "run": "sales-20250402t0200", "outcome": "Failed"}],
        ),
    ]  # fmt: skip
    cluster = FakeCluster(steps=steps).add(workflow("sales"))
    result = invoke(cluster, "backfill", "sales", *RANGE)
    assert [line[10:] if line[2:3] == ":" else line for line in result.stdout.splitlines()] == [
        "backfill.windlass.dev/sales-x2v9p created",
        "Pending",
        "Running: 0 of 3 slots done: 1 active",
        # One success more is no news by itself.
        "Running: 2 of 3 slots done: 1 succeeded, 1 failed, 1 active",
        "Failed: all slots are done: 2 succeeded, 1 failed",
        "backfill.windlass.dev/sales-x2v9p failed: all slots are done: 2 succeeded, 1 failed",
        "  sales-20250402t0200  Failed",
        "see windlass status sales-20250402t0200; then run them again with --reprocess failed",
    ]
    assert result.exit_code == 1


def test_who_interrupts_it_is_told_that_it_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = FakeCluster().add(backfill(phase="Running", message="0 of 3 slots done: 1 active"))

    async def interrupted() -> None:
        watching = asyncio.create_task(watch(Cluster(cluster, "data"), "sales-x2v9p"))  # type: ignore[arg-type]  # a fake
        await asyncio.sleep(0.05)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    asyncio.run(interrupted())
    assert capsys.readouterr().err == (
        "windlass: the backfill sales-x2v9p goes on; windlass suspend backfill/sales-x2v9p would hold it, "
        "windlass cancel backfill/sales-x2v9p end it\n"
    )


def test_the_bar_of_a_terminal() -> None:
    async def changes() -> AsyncIterator[Body]:
        yield backfill()
        yield backfill(phase="Running", total=3, done=1, running=2, failed=1)
        yield backfill(phase="Failed", total=3, done=3, failed=1)

    screen = Console(force_terminal=True, width=100, file=io.StringIO())
    assert asyncio.run(_bar(screen, changes()))["status"]["phase"] == "Failed"
    shown = screen.file.getvalue()  # type: ignore[attr-defined]  # what it was given
    assert "3/3" in shown
    assert "1 failed" in shown


def test_the_end_as_json() -> None:
    steps = [backfill(phase="Succeeded", message="all slots are done: 3 succeeded")]
    result = invoke(FakeCluster(steps=steps).add(workflow("sales")), "backfill", "sales", *RANGE, "-o", "json")
    assert (result.exit_code, json.loads(result.stdout)["status"]["phase"]) == (0, "Succeeded")


def test_a_dry_run_shows_the_slots_and_leaves_nothing() -> None:
    slots = [
        {"slot": "2025-04-01T02:00:00Z", "action": "Skip", "run": "sales-20250401t0200"},
        {"slot": "2025-04-02T02:00:00Z", "action": "Run", "run": "sales-20250402t0200"},
    ]
    schedule = {"cron": "0 11 * * *", "timeZone": "Asia/Seoul"}
    steps = [backfill(phase="Succeeded", reason="DryRun", message="2 slots", slots=slots, schedule=schedule)]
    cluster = FakeCluster(steps=steps).add(workflow("sales"))
    result = invoke(cluster, "backfill", "sales", *RANGE, "--dry-run")
    assert (result.exit_code, result.stdout) == (
        0,
        "SLOT                   ASIA/SEOUL             ACTION   RUN\n"
        "2025-04-01T02:00:00Z   Tue 2025-04-01 11:00   Skip     sales-20250401t0200\n"
        "2025-04-02T02:00:00Z   Wed 2025-04-02 11:00   Run      sales-20250402t0200\n"
        "2 slots\n",
    )
    assert made(cluster)[0]["spec"]["dryRun"] is True
    assert [name for verb, name, _ in cluster.changes if verb == "delete"] == ["sales-x2v9p"]


def test_a_dry_run_that_is_refused() -> None:
    steps = [backfill(phase="Refused", reason="NoSchedule", message="the Workflow sales has no schedule")]
    result = invoke(FakeCluster(steps=steps).add(workflow("sales")), "backfill", "sales", *RANGE, "--dry-run")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "the Workflow sales has no schedule\n")


REFUSED: dict[str, tuple[list[str], int, str]] = {
    "no such Workflow": (
        ["salse", *RANGE],
        1,
        'there is no Workflow "salse" in the namespace data; did you mean "sales"?',
    ),
    "no such parameter": (["sales", *RANGE, "-p", "x=1"], 2, "-p x: the Workflow has no parameters"),
    "no day": (["sales", "--from", "yesterday", "--to", "2025-04-03"], 2, "--from: "),
    "a day that there isn't": (["sales", "--from", "2025-02-30", "--to", "2025-04-03"], 2, "--from: "),
    "too many at once": (["sales", *RANGE, "--max-active", "0"], 2, "--max-active: "),
    "without a range": (["sales"], 2, "--from"),
    "a long name": (["sales", *RANGE, "--name", "n" * 64], 2, "--name: a Backfill's name has at most 63 characters"),
}


@pytest.mark.parametrize(("args", "code", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(args: list[str], code: int, says: str) -> None:
    cluster = FakeCluster().add(workflow("sales"))
    result = invoke(cluster, "backfill", *args)
    assert (result.exit_code, made(cluster)) == (code, [])
    assert says in result.stderr


def test_a_name_that_is_taken() -> None:
    cluster = FakeCluster().add(workflow("sales"), backfill("mine"))
    result = invoke(cluster, "backfill", "sales", *RANGE, "--name", "mine")
    assert (result.exit_code, result.stderr) == (
        1,
        "windlass: there is a backfill mine already: give another --name, or delete it "
        "(kubectl delete backfills.windlass.dev mine)\n",
    )


def test_the_list() -> None:
    cluster = FakeCluster().add(
        backfill("a", "Running", progress="12/90", running=3, failed=2, message="12 of 90 slots done"), backfill("b")
    )
    result = invoke(cluster, "backfills")
    assert [line.split()[:8] for line in result.stdout.splitlines()] == [
        ["NAME", "WORKFLOW", "PHASE", "PROGRESS", "ACTIVE", "FAILED", "FROM", "TO"],
        ["b", "sales", "Pending", "-", "0", "0", "2025-04-01", "2025-04-03"],
        ["a", "sales", "Running", "12/90", "3", "2", "2025-04-01", "2025-04-03"],
    ]
    assert "12 of 90 slots done" in invoke(cluster, "backfills", "-o", "wide").stdout
    assert invoke(cluster, "backfills", "-o", "name").stdout.split() == [
        "backfill.windlass.dev/b", "backfill.windlass.dev/a",
    ]  # fmt: skip
    none = invoke(cluster, "backfills", "--workflow", "other")
    assert (none.exit_code, none.stderr) == (0, "there are no backfills in the namespace data\n")


SWITCHES: dict[str, tuple[list[str], Body | None, str]] = {
    "suspend a backfill": (["suspend", "backfill/b"], {"spec": {"suspend": True}}, "backfill.windlass.dev/b suspended"),
    "resume one that isn't": (["resume", "backfill/b"], None, "backfill.windlass.dev/b is resumed already"),
    "cancel a backfill": (["cancel", "backfills.windlass.dev/b"], {"spec": {"stop": "Cancel"}}, "cancelled"),
    "suspend a schedule": (
        ["suspend", "workflow/daily"], {"spec": {"schedule": {"suspend": True}}}, "windlass.dev/daily suspended"
    ),
    "resume a schedule": (
        ["resume", "wlw/held"], {"spec": {"schedule": {"suspend": False}}}, "workflow.windlass.dev/held resumed"
    ),
    "suspend what has ended": (["suspend", "backfill/over"], None, "the backfill over has ended already: Failed"),
    "a Workflow without a schedule": (["suspend", "workflow/sales"], None, "the Workflow sales has no schedule"),
    "no such backfill": (["cancel", "backfill/x"], None, 'there is no backfill "x" in the namespace data'),
    "cancel a Workflow": (["cancel", "workflow/daily"], None, "a Workflow is suspended, or deleted"),
    "terminate a backfill": (["cancel", "--terminate", "backfill/b"], None, "--terminate is for runs"),
    "a reason for a backfill": (["cancel", "--reason", "x", "backfill/b"], None, "--reason is for runs"),
    "another kind": (["suspend", "pool/x"], None, "pool/x: write the name of a run, workflow/NAME, or backfill/NAME"),
}  # fmt: skip


@pytest.mark.parametrize(("args", "patch", "says"), SWITCHES.values(), ids=SWITCHES.keys())
def test_switches(args: list[str], patch: Body | None, says: str) -> None:
    cluster = FakeCluster().add(
        workflow("sales"),
        workflow("daily", schedule={"cron": "@daily"}),
        workflow("held", schedule={"cron": "@daily", "suspend": True}),
        backfill("b", "Running"),
        backfill("over", "Failed"),
    )
    result = invoke(cluster, *args)
    assert says in result.output
    assert [body for _, _, body in cluster.changes] == ([patch] if patch else [])
