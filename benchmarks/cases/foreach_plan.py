"""A forEach of 5,000 instances in the planner: the time of one event, and the size and the time of what is stored."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from figures import Figure

from cluster import Setting
from windlass.models.parse import read_status
from windlass.models.run import FailureClass, WorkflowRunSpec, WorkflowRunStatus
from windlass.models.workflow import WorkflowSpec
from windlass.plan.graph import compile_program
from windlass.plan.run import plan_run
from windlass.plan.types import PodPhase, PodResult, PodView, RunView, Seen

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TIMES = 30


async def measure(setting: Setting) -> list[Figure]:
    count = setting.size(5000)
    running = _running(count)
    half = _with_ends(running, count // 2)
    figures = [
        Figure(f"plan_run, {count} instances, one pod ended", _event(running, 0), "ms", 20, 10),
        Figure("the same, half of them ended and their pods kept", _event(half, count - 1), "ms", 20, 10),
    ]
    for what, seen in (("running", running), ("half of them ended", half)):
        status = seen.run.status
        text = _json(status)
        figures += [
            Figure(f"status of {count} instances, {what}", len(text) / 1024, "KiB", 300, 100),
            Figure(f"the time to write it out, {what}", _median(lambda status=status: _json(status)), "ms", 50, 20),
            Figure(f"the time to read it, {what}", _median(lambda text=text: read_status(json.loads(text))), "ms"),
        ]
    return figures


def _json(status: WorkflowRunStatus) -> bytes:
    return json.dumps(status.model_dump(mode="json", by_alias=True, exclude_none=True), separators=(",", ":")).encode()


def _running(count: int) -> Seen:
    """All instances have a pod that runs."""
    task = {
        "name": "load",
        "image": "app:1",
        "command": ["load", "{{ item }}"],
        "forEach": {"items": [f"s3://bucket/day=2026-01-01/part-{number:05}.parquet" for number in range(count)]},
    }
    spec = WorkflowSpec.model_validate({"tasks": [task]})
    run = RunView("bench", "run", "uid", 1, NOW, WorkflowRunSpec(workflow_spec=spec), WorkflowRunStatus(), "run")
    seen = Seen(run, compile_program(spec), {})
    pods: dict[str, PodView] = {}
    moment = NOW
    while len(pods) < count:
        plan = plan_run(seen, moment)
        for launch in plan.launches:
            pods[launch.pod] = PodView(
                namespace="bench", name=launch.pod, uid=f"3fa85f64-5717-4562-b3fc-{launch.index:012}", version=1,
                workflow="run", run="run", run_uid="uid", task="load", attempt=1, index=launch.index, held=True,
                phase=PodPhase.RUNNING, created_at=moment, started_at=moment, node="node-1",
            )  # fmt: skip
        moment += timedelta(milliseconds=700)
        seen = replace(seen, run=replace(run, status=plan.status), pods=dict(pods))
    return replace(seen, run=replace(run, status=plan_run(seen, moment).status))


def _with_ends(seen: Seen, count: int) -> Seen:
    pods = dict(seen.pods)
    for number, name in enumerate(list(pods)[:count]):
        good = number % 50 != 7
        failed = PodResult(FailureClass.APP, "Error", 1, f"Traceback: no such file part-{number:05}.parquet")
        result = PodResult(None, "Completed", 0, json.dumps({"rows": number * 7919 % 10007})) if good else failed
        pods[name] = replace(
            pods[name], phase=PodPhase.ENDED, finished_at=NOW + timedelta(seconds=20), terminal=True, result=result
        )
    seen = replace(seen, pods=pods)
    status = plan_run(seen, NOW + timedelta(seconds=30)).status
    pods = {name: replace(pod, held=pod.phase is not PodPhase.ENDED) for name, pod in pods.items()}
    return replace(seen, run=replace(seen.run, status=status), pods=pods)


def _event(seen: Seen, which: int) -> float:
    """Milliseconds of one plan after the pod of one instance has ended."""
    pods = dict(seen.pods)
    name = list(pods)[which]
    later = NOW + timedelta(seconds=40)
    result = PodResult(None, "Completed", 0, '{"rows": 12}')
    pods[name] = replace(pods[name], phase=PodPhase.ENDED, finished_at=later, terminal=True, result=result)
    after = replace(seen, pods=pods)
    plan = plan_run(after, later)
    assert plan.releases == (name,), plan.releases[:3]
    return _median(lambda: plan_run(after, later))


def _median(act: Callable[[], Any]) -> float:
    """Milliseconds of processor time."""
    times = []
    for _ in range(TIMES):
        began = time.thread_time()
        act()
        times.append(time.thread_time() - began)
    return statistics.median(times) * 1000
