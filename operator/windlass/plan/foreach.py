"""What becomes of a task that is repeated: its instances start, go on, are tried again and end, each as a task would.

Waiting ──ready──▶ no items ──▶ Skipped
   │   └──no list──▶ Failed
   ▼
follow those that have pods ──▶ too many failures? stop ──▶ start others ──▶ count together
"""

from __future__ import annotations

from typing import Final

from windlass.models.foreach import MAX_INSTANCES
from windlass.models.instances import Instances
from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.attempts import fail
from windlass.plan.draft import Draft, Stopping
from windlass.plan.foreach_ends import hopeless, summary
from windlass.plan.foreach_follow import cancel_rest, follow_all
from windlass.plan.foreach_items import ForEachInvalidError, digest_of
from windlass.plan.foreach_launch import Launch, items_now, launch_all
from windlass.plan.foreach_work import Work
from windlass.plan.templates import TemplateError
from windlass.plan.types import Node

INVALID: Final = "ForEachInvalid"
TEMPLATE: Final = "TemplateError"
FAIL_FAST: Final = "FailFast"


def begin(draft: Draft, node: Node, status: TaskStatus) -> TaskStatus:
    """The task is ready: what it is repeated over is known now, once and for all."""
    try:
        items = items_now(draft, node)
        _check_room(draft, status, len(items))
    except TemplateError as error:
        return fail(draft, status, TEMPLATE, str(error))
    except ForEachInvalidError as error:
        return fail(draft, status, INVALID, str(error))
    if not items:
        update = {"phase": TaskPhase.SKIPPED, "reason": "NoItems", "message": "forEach has no items"}
        return status.model_copy(update={**update, "finished_at": draft.moment})
    instances = Instances.fresh(items, digest_of(items))
    return status.model_copy(update={"phase": TaskPhase.QUEUED, "instances": instances})


def advance_instances(draft: Draft, node: Node, status: TaskStatus, launch: Launch) -> TaskStatus:
    """Bring a task whose instances are known as far as it goes now."""
    assert status.instances is not None, "begin has made them"
    work = Work(draft, node, status, status.instances)
    if status.reason in (INVALID, TEMPLATE):
        return _give_up(work, status.reason, status.message or "")
    _halt(work)
    follow_all(work)
    if _halt(work):
        follow_all(work)
    if draft.stops(node) is not None:
        cancel_rest(work)
    else:
        try:
            launch_all(work, launch)
        except TemplateError as error:
            return _give_up(work, TEMPLATE, str(error))
        except ForEachInvalidError as error:
            return _give_up(work, INVALID, str(error))
    return summary(draft, node, status, work.instances(), work.waits)


def _halt(work: Work) -> bool:
    """Stop the rest, if so many have failed that the task can't succeed any more; whether that is new."""
    name = work.node.task.name
    if name in work.draft.halted or not hopeless(work.node, work.instances()):
        return False
    work.draft.halted[name] = Stopping(FAIL_FAST, work.draft.now)
    return True


def _give_up(work: Work, reason: str, message: str) -> TaskStatus:
    """What the instances are for is no longer known: those that run are ended, then the task fails."""
    work.draft.halted[work.node.task.name] = Stopping(reason, work.draft.now)
    follow_all(work)
    cancel_rest(work)
    instances = work.instances()
    if instances.open:
        return work.status.model_copy(update={"reason": reason, "message": message, "instances": instances})
    ended = work.status.model_copy(update={"instances": instances})
    return fail(work.draft, ended, reason, message)


def _check_room(draft: Draft, status: TaskStatus, count: int) -> None:
    others = sum(task.instances.total for task in draft.tasks.values() if task.instances and task.name != status.name)
    if others and others + count > MAX_INSTANCES:
        raise ForEachInvalidError(
            f"forEach has {count} items, and the run has {others} instances already: it may have {MAX_INSTANCES} in all"
        )
