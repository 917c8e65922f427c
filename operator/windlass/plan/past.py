"""Tasks that wait for the same task of the run of the slot before: a task's `dependsOnPast`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.draft import Draft, changed
from windlass.plan.types import Node

DEPENDS_ON_PAST: Final = "DependsOnPast"
_GOOD: Final = frozenset({TaskPhase.SUCCEEDED, TaskPhase.SKIPPED})
_STANDS: Final[Mapping[TaskPhase, str]] = {
    TaskPhase.FAILED: "has failed: retry it, or mark it as succeeded",
    TaskPhase.UPSTREAM_FAILED: "did not run, because of a failure before it: retry that",
    TaskPhase.CANCELLED: "was cancelled: retry it",
}


def waits_for_past(draft: Draft, node: Node, status: TaskStatus) -> TaskStatus | None:
    """The status of a task that has to wait for its past; None when it may go on.

    A task that the definition did not have at that time waits for nothing. Of several runs of that slot one is enough.
    """
    past = draft.seen.past
    if not node.task.depends_on_past or past is None:
        return None
    name, found = node.task.name, [tasks.get(node.task.name) for tasks in past.tasks if tasks]
    if found and any(phase is None or phase in _GOOD for phase in found):
        return None
    phase = next((phase for phase in found if phase is not None and phase.ended), None)
    stands = _STANDS.get(phase, "has not ended") if phase is not None else "has not ended"
    update: dict[str, Any] = {"phase": TaskPhase.QUEUED, "ready_at": status.ready_at or draft.moment}
    message = f"waits for {name} of {past.run}, which {stands}"
    return changed(status, reason=DEPENDS_ON_PAST, message=message, **update)
