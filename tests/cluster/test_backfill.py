"""Backfills on a real API server, with pods on hollow nodes: columns, a controller that is killed, and the switches."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from support.clusters import Cluster
from support.controller import Controller
from support.hollow import task
from support.kubectl import kubectl, objects

pytestmark = pytest.mark.cluster
WITHIN = 120.0


@pytest.fixture(scope="module")
def sales(cluster: Cluster) -> str:
    """A Workflow that is due daily at two in Seoul, and runs by backfills alone."""
    timing = {"cron": "0 2 * * *", "timeZone": "Asia/Seoul", "suspend": True}
    spec = {"schedule": timing, "history": {"succeeded": 100}, "tasks": [task("load", seconds=1)]}
    flow = {"apiVersion": "windlass.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "sales"}, "spec": spec}
    kubectl("apply", "-n", cluster.namespace, "-f", "-", stdin=json.dumps(flow))
    return "sales"


def status(cluster: Cluster, name: str) -> dict[str, Any]:
    found = json.loads(kubectl("get", "backfill", name, "-n", cluster.namespace, "-o", "json"))
    said: dict[str, Any] = found.get("status") or {}
    return said


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + WITHIN
    while not condition():
        assert time.monotonic() < end, f"not within {WITHIN} s: {what}"
        time.sleep(0.2)


def slots(cluster: Cluster, name: str) -> Counter[str]:
    runs = objects("workflowruns", cluster.namespace, "-l", f"windlass.dev/backfill={name}")
    return Counter(run["spec"]["slot"]["scheduledAt"] for run in runs)


def test_a_week_by_the_command(cluster: Cluster, sales: str) -> None:
    days = ("--from", "2025-04-01", "--to", "2025-04-07")
    said = cluster.windlass("backfill", sales, *days, "--max-active", "3", "--name", "week", within=WITHIN)
    assert said.code == 0, said.all
    assert "backfill.windlass.dev/week succeeded: all slots are done: 7 succeeded" in said.out
    columns = kubectl("get", "backfills", "week", "-n", cluster.namespace).splitlines()
    assert columns[0].split() == ["NAME", "WORKFLOW", "PHASE", "PROGRESS", "FAILED", "FROM", "TO", "AGE"]
    assert columns[1].split()[:7] == ["week", "sales", "Succeeded", "7/7", "0", "2025-04-01", "2025-04-07"]
    assert set(slots(cluster, "week")) == {
        "2025-03-31T17:00:00Z", *(f"2025-04-0{number}T17:00:00Z" for number in range(1, 7)),
    }  # fmt: skip
    dry = cluster.windlass("backfill", sales, "--from", "2025-04-07", "--to", "2025-04-08", "--dry-run", within=WITHIN)
    assert [line.split()[:5] for line in dry.out.splitlines()[1:3]] == [
        ["2025-04-06T17:00:00Z", "Mon", "2025-04-07", "02:00", "Skip"],
        ["2025-04-07T17:00:00Z", "Tue", "2025-04-08", "02:00", "Run"],
    ]
    assert {one["metadata"]["name"] for one in objects("backfills", cluster.namespace)} == {"week"}


def test_a_controller_that_is_killed_makes_no_slot_run_twice(
    cluster: Cluster, controller: Controller, sales: str
) -> None:
    days = ("--from", "2025-01-01", "--to", "2025-01-20")
    made = cluster.windlass("backfill", sales, *days, "--max-active", "4", "--name", "long", "--detach")
    assert made.code == 0, made.all
    for done in (3, 9):
        until(lambda done=done: (status(cluster, "long").get("done") or 0) >= done, f"{done} slots")  # type: ignore[misc]
        controller.kill()
        controller.start()
    kubectl("wait", "backfill/long", "-n", cluster.namespace, "--for=condition=Succeeded", f"--timeout={WITHIN:.0f}s")
    found = slots(cluster, "long")
    assert (len(found), set(found.values())) == (20, {1})
    pods = objects("pods", cluster.namespace, "-l", "windlass.dev/workflow=sales")
    attempts = Counter((pod["metadata"]["labels"]["windlass.dev/run-uid"], "load") for pod in pods)
    assert set(attempts.values()) <= {1}


def test_held_resumed_and_cancelled(cluster: Cluster, sales: str) -> None:
    days = ("--from", "2024-01-01", "--to", "2024-12-31")
    assert cluster.windlass("backfill", sales, *days, "--name", "year", "--detach").code == 0
    until(lambda: (status(cluster, "year").get("done") or 0) >= 1, "a slot")
    assert cluster.windlass("suspend", "backfill/year").code == 0
    until(lambda: status(cluster, "year").get("running") == 0, "the end of what runs")
    held = status(cluster, "year")
    time.sleep(2)
    assert (status(cluster, "year")["done"], held["phase"]) == (held["done"], "Suspended")
    assert cluster.windlass("resume", "backfill/year").code == 0
    until(lambda: status(cluster, "year")["done"] > held["done"], "one more slot")
    assert cluster.windlass("cancel", "backfill/year").code == 0
    until(lambda: status(cluster, "year")["phase"] == "Cancelled", "its end")
    told = kubectl("get", "backfill", "year", "-n", cluster.namespace, "-o", "jsonpath={.status.progress}")
    assert told.endswith("/366")


def test_its_spec_stays_as_it_is(cluster: Cluster, sales: str) -> None:
    place = ["-n", cluster.namespace]
    made = {"apiVersion": "windlass.dev/v1alpha1", "kind": "Backfill", "metadata": {"name": "fixed"}}
    spec = {"workflow": sales, "from": "2025-04-01", "to": "2025-04-01", "suspend": True}
    kubectl("apply", *place, "-f", "-", stdin=json.dumps({**made, "spec": spec}))
    with pytest.raises(AssertionError, match="the spec of a backfill can't be changed, but for suspend and stop"):
        kubectl("patch", "backfill", "fixed", *place, "--type=merge", "-p", '{"spec": {"to": "2025-04-02"}}')
