"""The time of `plan_run` for a run of 1,000 tasks: after one pod has ended, and when nothing has changed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from figures import Figure

from cluster import Setting, task
from windlass import names
from windlass.models.run import WorkflowRunSpec, WorkflowRunStatus
from windlass.models.workflow import WorkflowSpec
from windlass.plan.graph import compile_program
from windlass.plan.run import plan_run
from windlass.plan.types import PodPhase, PodResult, PodView, RunView, Seen

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TIMES = 50


async def measure(setting: Setting) -> list[Figure]:
    count = setting.size(1000)
    seen = _running(count)
    ended = dict(seen.pods)
    first = next(iter(ended))
    ended[first] = replace(
        ended[first], phase=PodPhase.ENDED, finished_at=NOW, terminal=True, result=PodResult(None, "Completed")
    )
    later = NOW + timedelta(seconds=1)
    fresh = _seen(count, WorkflowRunStatus(), {})
    compiling = _median(lambda: compile_program(_spec(count)))
    return [
        Figure(
            f"plan_run, {count} tasks, one pod ended",
            _median(lambda: plan_run(replace(seen, pods=ended), later)),
            "ms",
            20,
            5,
        ),
        Figure(f"plan_run, {count} tasks, nothing changed", _median(lambda: plan_run(seen, later)), "ms", 20, 5),
        Figure(f"plan_run, {count} tasks, all to be started", _median(lambda: plan_run(fresh, NOW)), "ms"),
        Figure(f"parsing and compiling {count} tasks, once a run", compiling, "ms"),
    ]


def _spec(count: int) -> WorkflowSpec:
    return WorkflowSpec.model_validate({"tasks": [task(f"t{number}") for number in range(count)]})


def _seen(count: int, status: WorkflowRunStatus, pods: dict[str, PodView]) -> Seen:
    spec = _spec(count)
    run = RunView("bench", "run", "uid", 1, NOW, WorkflowRunSpec(workflow_spec=spec), status, "run")
    return Seen(run, compile_program(spec), pods)


def _running(count: int) -> Seen:
    """A run whose tasks all run, as a status that was stored says."""
    started = plan_run(_seen(count, WorkflowRunStatus(), {}), NOW).status
    pods = {}
    for status in started.tasks:
        pod = names.pod_name("run", "uid", status.name, 1)
        pods[pod] = PodView(
            "bench", pod, f"uid-{status.name}", 1, "run", "run", "uid", status.name, 1, PodPhase.RUNNING,
            created_at=NOW, started_at=NOW, held=True, node="hollow-0",
        )  # fmt: skip
    return _seen(count, plan_run(_seen(count, started, pods), NOW).status, pods)


def _median(call: Callable[[], object]) -> float:
    """Milliseconds, the median of many calls."""
    times = []
    for _ in range(TIMES):
        began = time.thread_time()
        call()
        times.append(time.thread_time() - began)
    return statistics.median(times) * 1000
