"""Joins that choose which of the tasks after them go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.attempts import fail
from windlass.plan.choosing import listed
from windlass.plan.draft import Draft
from windlass.plan.templates import TemplateError, render, truth
from windlass.plan.types import Node

SWITCHED: Final = "Switched"
NOT_CHOSEN: Final = "NotChosen"


def choose(draft: Draft, node: Node, status: TaskStatus, context: Mapping[str, Any]) -> TaskStatus:
    """End the join with the tasks that go on as its outputs: `{chosen: [...]}`."""
    chosen: list[str] = []
    for place, case in enumerate(node.task.switch or ()):
        try:
            taken = case.when is None or truth(render({"when": case.when}, context, double_dollar=False)["when"])
        except TemplateError as error:
            error = TemplateError(error.problem, case.when or "", ("switch", place, "when"))
            return fail(draft, status, "TemplateError", str(error))
        if taken:
            chosen = list(case.then)
            break
    return status.model_copy(
        update={
            "phase": TaskPhase.SUCCEEDED,
            "reason": SWITCHED,
            "message": f"goes on with {listed(chosen)}" if chosen else "goes on with none",
            "finished_at": draft.moment,
            "outputs": {"chosen": chosen},
        }
    )


def passed_over(draft: Draft, node: Node) -> str | None:
    """Why the task is skipped whatever its rule says: a join before it has chosen others. None: none has."""
    name = node.task.name
    for upstream in node.upstream:
        cases = draft.seen.program.nodes[upstream].task.switch
        if cases is None or not any(name in case.then for case in cases):
            continue
        status = draft.tasks[upstream]
        if status.phase is TaskPhase.SUCCEEDED and status.reason == SWITCHED:
            chosen = (status.outputs or {}).get("chosen", [])
            if name not in chosen:
                return f"{upstream} {status.message or 'goes on with others'}"
    return None
