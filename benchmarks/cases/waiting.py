"""1,000 runs that wait for an object each: what an event costs, whom it wakes, and what is held meanwhile."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from figures import Figure

from cluster import Setting
from windlass.engine.questions import Changed, Place, Questions
from windlass.engine.record import RunKey
from windlass.models.run import WorkflowRunSpec, WorkflowRunStatus
from windlass.models.workflow import WorkflowSpec
from windlass.plan.graph import compile_program
from windlass.plan.run import plan_run
from windlass.plan.sights import ObjectQuestion, Sight, SightKind
from windlass.plan.types import RunView, Seen

RUNS: Final = 1000
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
TASK: Final[dict[str, Any]] = {
    "name": "a",
    "waitFor": {"object": {"apiVersion": "batch/v1", "kind": "Job", "name": "{{ run.name }}", "condition": "Complete"}},
}
JOB: Final[dict[str, Any]] = {"status": {"active": 1, "conditions": [{"type": "Complete", "status": "False"}]}}


class _Post:
    """A lookout that has seen all Jobs, and says when the benchmark has one change."""

    def __init__(self) -> None:
        self.opened = 0
        self.changed: Changed = lambda name, labels: None

    def open(self, place: Place, changed: Changed) -> _Post:
        self.opened += 1
        self.changed = changed
        return self

    def sight(self, question: ObjectQuestion) -> Sight:
        return Sight(SightKind.SEEN, ({"metadata": {"name": question.name}, **JOB},))

    def want(self, question: ObjectQuestion) -> None: ...

    def leave(self, question: ObjectQuestion) -> None: ...

    def close(self) -> None: ...


async def measure(setting: Setting) -> list[Figure]:
    count = setting.size(RUNS)
    post, woken = _Post(), list[RunKey]()
    questions = Questions(post, woken.append)
    program = compile_program(WorkflowSpec.model_validate({"tasks": [TASK]}))
    views = {key: _view(key, program.spec) for key in (RunKey("data", f"r{number}") for number in range(count))}
    tracemalloc.start()
    for key, view in views.items():
        questions.ask(key, plan_run(Seen(run=view, program=program, pods={}), NOW).questions, frozenset())
    held = tracemalloc.get_traced_memory()[0] / count / 1024
    tracemalloc.stop()
    times, most = [], 0
    for key, view in views.items():
        woken.clear()
        began = time.process_time()
        post.changed(key.name, {})
        for one in woken:
            seen = Seen(run=view, program=program, pods={}, sights=questions.answers(one))
            plan = plan_run(seen, NOW)
            questions.ask(one, plan.questions, plan.awaited)
        times.append((time.process_time() - began) * 1e6)
        most = max(most, len(woken))
    told: Mapping[str, Any] = {"watches": post.opened, "pods": 0}
    return [
        Figure(f"{count} runs wait for a Job each: runs that an event of one wakes", most, "", 1, 1, details={**told}),
        Figure("what such an event costs, the plan included", statistics.median(times), "µs", 2000, 500),
        Figure("what is held for each that waits", held, "KiB"),
    ]


def _view(key: RunKey, spec: WorkflowSpec) -> RunView:
    return RunView(
        namespace=key.namespace, name=key.name, uid=f"uid-{key.name}", generation=1, created_at=NOW,
        spec=WorkflowRunSpec.model_validate({"workflowSpec": {"tasks": [TASK]}}),
        status=WorkflowRunStatus.model_validate({"phase": "Running", "startedAt": "2026-01-01T00:00:00Z",
                                                 "tasks": [{"name": "a"}]}),
        workflow="w",
    )  # fmt: skip
