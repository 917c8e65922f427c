"""What becomes of one task: it waits, is skipped, starts, goes on, ends.

Waiting ──rule──▶ UpstreamFailed | Skipped
   │ start
   ├──when is false──▶ Skipped          ┌──────── Retrying ◀──────┐
   ▼                                    ▼                         │
Queued ──▶ Starting ──▶ Running ──▶ Succeeded | Failed | … ───────┘
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from windlass import names
from windlass.models.action import TaskOrder, Verb
from windlass.models.common import format_time, parse_time
from windlass.models.run import Attempt, TaskPhase, TaskStatus
from windlass.plan.approval import advance_approval
from windlass.plan.attempts import adopt, cancel, fail, follow, next_number, refused, under_way, vanished, with_attempt
from windlass.plan.budget import cut
from windlass.plan.children import follow_child, start_child
from windlass.plan.context import task_context, trigger_of
from windlass.plan.draft import Draft, Stopping, changed
from windlass.plan.external import follow_object, start_object
from windlass.plan.foreach import advance_instances, begin
from windlass.plan.foreach_items import Place, reads_item
from windlass.plan.given_up import BY_ACTION
from windlass.plan.marking import carried_out
from windlass.plan.past import DEPENDS_ON_PAST, waits_for_past
from windlass.plan.pools import held_back
from windlass.plan.rendering import render_task
from windlass.plan.retries import next_memory
from windlass.plan.rules import Counts, Verdict, VerdictKind, verdict
from windlass.plan.switching import NOT_CHOSEN, choose, passed_over
from windlass.plan.teardown import teardown_verdict
from windlass.plan.template_values import Meter, json_text, plain
from windlass.plan.templates import TemplateError, render, truth
from windlass.plan.types import Launch, Node, RefusalKind
from windlass.plan.waiting import advance_wait, timed_out

_WORDS: Final = {
    TaskPhase.SUCCEEDED: "succeeded",
    TaskPhase.FAILED: "failed",
    TaskPhase.CANCELLED: "was cancelled",
    TaskPhase.UPSTREAM_FAILED: "did not run, because of a failure before it",
    TaskPhase.SKIPPED: "was skipped",
}
_TOLD: Final[Mapping[str, str]] = {"QuotaExceeded": "WaitingForQuota", "NotPermitted": "WaitingForPermission"}
"""Of what a task waits for, what a person can do something about, and the Event that tells them."""
_CULPRITS: Final[Mapping[str, frozenset[TaskPhase]]] = {
    "UpstreamFailed": frozenset({TaskPhase.FAILED, TaskPhase.CANCELLED, TaskPhase.UPSTREAM_FAILED}),
    "UpstreamSkipped": frozenset({TaskPhase.SKIPPED}),
    "UpstreamNotFailed": frozenset({TaskPhase.SUCCEEDED, TaskPhase.SKIPPED}),
    "UpstreamNotSkipped": frozenset(_WORDS) - {TaskPhase.SKIPPED},
}


def advance(draft: Draft, node: Node, status: TaskStatus) -> TaskStatus:
    """Bring a task as far as it goes now."""
    if status.phase.ended:
        return status
    if status.instances is not None:
        return _repeated(draft, node, status)
    status = _followed_up(draft, node, status)
    if status.phase.ended or under_way(status):
        return status
    if status.order is not None:
        status = _ordered(draft, node, status, status.order)
        if status.phase.ended:
            return status
    if (stopping := draft.stops(node)) is not None:
        return cancel(status, stopping.reason, draft.moment)
    if status.phase is TaskPhase.WAITING or status.reason == DEPENDS_ON_PAST:
        return _decided(draft, node, status)
    if node.asks and node.task.wait_for is not None:
        over = timed_out(draft, node.task.wait_for, status)
        if over is not None:
            return over
    if status.phase is TaskPhase.RETRYING and status.retry_at is not None:
        due = parse_time(status.retry_at)
        if due > draft.now:
            draft.wake(due)
            return status
    return _begun(draft, node, status)


def _followed_up(draft: Draft, node: Node, status: TaskStatus) -> TaskStatus:
    """Take what has become of the attempt under way, as the task's kind has it."""
    if node.task.run is not None:
        return follow_child(draft, node, status)
    if node.task.resource is not None:
        return follow_object(draft, node, status)
    return _followed(draft, node, status)


def _repeated(draft: Draft, node: Node, status: TaskStatus) -> TaskStatus:
    """Go on with a task that is repeated; an order is carried out once none of its instances is at work."""
    told = len(draft.events)
    if status.order is not None and draft.stops(node) is None:
        draft.halted[status.name] = Stopping(BY_ACTION, draft.now)
    after = advance_instances(draft, node, status, _launched)
    if status.order is None or not after.phase.ended:
        return after
    del draft.events[told:]
    if status.order.verb == Verb.CLEAR and draft.stopping is not None:
        return after.model_copy(update={"order": None})
    draft.halted.pop(status.name, None)
    after = carried_out(after, status.order, draft.now)
    return after if after.phase.ended else _decided(draft, node, after)


def _ordered(draft: Draft, node: Node, status: TaskStatus, order: TaskOrder) -> TaskStatus:
    """Carry out what an action has ordered; to run it again is in vain when all is being stopped."""
    if order.verb == Verb.CLEAR and draft.stops(node) is not None:
        return status.model_copy(update={"order": None})
    return carried_out(status, order, draft.now)


def _followed(draft: Draft, node: Node, status: TaskStatus) -> TaskStatus:
    """Take what the pods of this and the next attempts say: several may have come and gone unrecorded."""
    while not status.phase.ended:
        if under_way(status):
            attempt = status.attempts[-1]
            pod = draft.seen.pods.get(attempt.pod or "")
            if pod is not None and attempt.uid in (None, pod.uid):
                before, status = status, follow(draft, node, status, pod)
                if status is before:
                    return status
            elif attempt.uid is not None:
                status = vanished(draft, node, status)
            else:
                return status.model_copy(update={"attempts": status.attempts[:-1], "phase": TaskPhase.QUEUED})
            if under_way(status):
                return status
            continue
        if status.order is not None:
            return status
        number = next_number(status)
        found = draft.pods.get((status.name, number))
        if found is None or found.name != names.pod_name(draft.seen.run.name, draft.seen.run.uid, status.name, number):
            return status
        memory = next_memory(node.task, status.attempts[-1] if status.attempts else None)
        status = adopt(status, found, memory, draft.moment)
    return status


def _decided(draft: Draft, node: Node, status: TaskStatus) -> TaskStatus:
    """Ask the trigger rule, then `when`."""
    is_source = node is draft.seen.program.source_step
    if not is_source and draft.source is not None and draft.source.commit is None:
        return status
    if node.task.group in draft.withheld:
        return status
    ruled = _ruled(node, draft.ends_for(node))
    if ruled.kind is VerdictKind.WAIT:
        return status
    if ruled.kind is VerdictKind.START and (why := passed_over(draft, node)) is not None:
        return _skipped(draft, status, NOT_CHOSEN, why)
    if ruled.kind is not VerdictKind.START:
        return _not_started(draft, node, status, ruled)
    if (waits := waits_for_past(draft, node, status)) is not None:
        return waits
    try:
        wanted = (node.task.for_each is not None and reads_item(node.task.when)) or _when(draft, node, status)
    except TemplateError as error:
        return fail(draft, status, "TemplateError", str(error))
    update: dict[str, Any] = {"ready_at": draft.moment, "reason": None, "message": None}
    if not wanted:
        message = cut(f"when is false: {node.task.when}", 256)
        update |= {"phase": TaskPhase.SKIPPED, "reason": "WhenFalse", "message": message, "finished_at": draft.moment}
    elif node.is_join and not is_source:
        if node.task.switch is not None:
            return choose(draft, node, status.model_copy(update=update), _context(draft, node, 1))
        update |= {"phase": TaskPhase.SUCCEEDED, "reason": "Joined", "finished_at": draft.moment}
    elif node.task.for_each is not None:
        begun = begin(draft, node, status.model_copy(update=update))
        return begun if begun.phase.ended else advance_instances(draft, node, begun, _launched)
    else:
        update["phase"] = TaskPhase.QUEUED
        return _begun(draft, node, status.model_copy(update=update))
    return status.model_copy(update=update)


def _ruled(node: Node, ends: Mapping[str, TaskPhase]) -> Verdict:
    if node.task.teardown_of:
        return teardown_verdict(node, ends)
    return verdict(node.task.trigger_rule, count(node.upstream, ends))


def _skipped(draft: Draft, status: TaskStatus, reason: str, message: str) -> TaskStatus:
    update = {"phase": TaskPhase.SKIPPED, "reason": reason, "message": cut(message, 256), "finished_at": draft.moment}
    return status.model_copy(update=update)


def count(upstream: Sequence[str], ends: Mapping[str, TaskPhase]) -> Counts:
    """How the direct upstream tasks stand, from the phases of those that have ended."""
    found = Counter(map(ends.get, upstream))
    return Counts(
        total=len(upstream),
        succeeded=found[TaskPhase.SUCCEEDED],
        failed=found[TaskPhase.FAILED] + found[TaskPhase.CANCELLED],
        upstream_failed=found[TaskPhase.UPSTREAM_FAILED],
        skipped=found[TaskPhase.SKIPPED],
    )


def _not_started(draft: Draft, node: Node, status: TaskStatus, ruled: Verdict) -> TaskStatus:
    phase = TaskPhase.SKIPPED if ruled.kind is VerdictKind.SKIP else TaskPhase.UPSTREAM_FAILED
    return status.model_copy(
        update={
            "phase": phase,
            "reason": ruled.reason,
            "message": _because(draft, node, ruled.reason),
            "finished_at": draft.moment,
        }
    )


def _because(draft: Draft, node: Node, reason: str) -> str | None:
    wanted = _CULPRITS.get(reason)
    if wanted is None:
        return None
    found = [(name, draft.tasks[name].phase) for name in node.upstream if draft.tasks[name].phase in wanted]
    if not found:
        return None
    name, phase = found[0]
    others = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{name} {_WORDS[phase]}{others}"


def _when(draft: Draft, node: Node, status: TaskStatus) -> bool:
    when = node.task.when
    if when is None:
        return True
    value = render({"when": when}, _context(draft, node, next_number(status)), double_dollar=False)["when"]
    try:
        return truth(value)
    except TemplateError as error:
        raise TemplateError(error.problem, when, ("when",)) from None


def _begun(draft: Draft, node: Node, status: TaskStatus) -> TaskStatus:
    """Go on with a task that is to run, as its kind does."""
    if node.task.approval is not None:
        return advance_approval(draft, node, status, _context(draft, node, next_number(status)))
    if node.task.wait_for is not None and not node.asks:
        return advance_wait(draft, node, status, _context(draft, node, next_number(status)))
    if node.task.resource is not None:
        return start_object(draft, node, status, _context(draft, node, next_number(status)))
    if node.task.run is not None:
        return start_child(draft, node, status, _context(draft, node, next_number(status)))
    return _launched(draft, node, status)


def _launched(draft: Draft, node: Node, status: TaskStatus, place: Place | None = None) -> TaskStatus:
    """Make the pod of the next attempt, unless something is in the way: then the task is Queued, and says why.

    `place` is where an instance of a forEach stands."""
    run = draft.seen.run
    number = next_number(status)
    pod = names.pod_name(run.name, run.uid, node.task.name, number, place.index if place else None)
    refusal = draft.seen.refusals.get(pod)
    if refusal is not None and refusal.kind is RefusalKind.LAUNCH:
        return refused(draft, status, refusal.reason, refusal.message)
    if draft.holding:
        return changed(status, phase=TaskPhase.QUEUED, reason="Suspended", message=None, retry_at=None)
    if refusal is not None and (refusal.retry_at is None or refusal.retry_at > draft.now):
        return _put_off(draft, status, pod)
    if draft.free_slots is not None and draft.free_slots <= 0 and pod not in draft.seen.granted:
        draft.short = True
        limit = draft.seen.program.spec.concurrency
        message = f"the workflow has {limit.max_active_tasks} tasks running, its limit" if limit else None
        return changed(status, phase=TaskPhase.QUEUED, reason="MaxActiveTasks", message=message, retry_at=None)
    since = parse_time(status.ready_at) if status.ready_at is not None else draft.now
    if (waits := held_back(draft, node.task, pod, since)) is not None:
        return changed(status, phase=TaskPhase.QUEUED, reason=waits[0], message=waits[1], retry_at=None)
    if refusal is None and status.phase is TaskPhase.QUEUED and status.retry_at is not None:
        due = parse_time(status.retry_at)
        if due > draft.now:
            draft.wake(due)
            return status
    return _start(draft, node, status, number, pod, place)


def _put_off(draft: Draft, status: TaskStatus, pod: str) -> TaskStatus:
    refusal = draft.seen.refusals[pod]
    if refusal.retry_at is not None:
        draft.wake(refusal.retry_at)
    if status.reason != refusal.reason and refusal.reason in _TOLD:
        draft.warn(_TOLD[refusal.reason], f"{status.name}: {refusal.message}", status)
    retry_at = format_time(refusal.retry_at) if refusal.retry_at else None
    message = cut(refusal.message, 512) or None
    return changed(status, phase=TaskPhase.QUEUED, reason=refusal.reason, message=message, retry_at=retry_at)


def _start(draft: Draft, node: Node, status: TaskStatus, number: int, pod: str, place: Place | None) -> TaskStatus:
    try:
        body = render_task(node.task, place.reads(number) if place else _context(draft, node, number))
    except TemplateError as error:
        return fail(draft, status, "TemplateError", str(error))
    if body.image is None and node is not draft.seen.program.source_step:
        body = body.model_copy(update={"image": draft.seen.default_image})
    memory = next_memory(body, status.attempts[-1] if status.attempts else None)
    draft.launches.append(
        Launch(
            pod=pod,
            task=node.task.name,
            attempt=number,
            body=body,
            environment=_environment(draft, node.task.name, number) | (place.environment() if place else {}),
            index=place.index if place else None,
            memory=memory,
            recreate=pod in draft.seen.gone,
        )
    )
    if draft.free_slots is not None and pod not in draft.seen.granted:
        draft.free_slots -= 1
    update = with_attempt(status, Attempt(number=number, pod=pod, memory=memory))
    if status.phase is not TaskPhase.QUEUED or status.retry_at is None:
        # Why it was put off stays until the pod is seen: put off again for the same reason, it is told once.
        update |= {"reason": None, "message": None}
    return status.model_copy(update={**update, "phase": TaskPhase.STARTING, "retry_at": None})


def _context(draft: Draft, node: Node, attempt: int) -> Mapping[str, Any]:
    outcome = draft.outcome.value if draft.outcome is not None and node.is_finally else None
    return task_context(draft.context, draft.seen.program, node, draft.tasks, attempt, outcome)


def _environment(draft: Draft, task: str, attempt: int) -> dict[str, str]:
    run, known = draft.seen.run, draft.context
    previous = plain(known["prev_success"], Meter())
    values = {
        "NAMESPACE": run.namespace,
        "WORKFLOW": run.workflow,
        "RUN": run.name,
        "RUN_UID": run.uid,
        "TASK": task,
        "ATTEMPT": str(attempt),
        "TRIGGER": trigger_of(run),
        "LOGICAL_DATE": format_time(known["logical_date"]),
        "SCHEDULED_AT": format_time(known["scheduled_at"]),
        "DATA_INTERVAL_START": format_time(known["data_interval_start"]),
        "DATA_INTERVAL_END": format_time(known["data_interval_end"]),
        "DS": known["ds"],
        "DS_NODASH": known["ds_nodash"],
        "TS": known["ts"],
        "TS_NODASH": known["ts_nodash"],
        "PREV_SUCCESS": json_text(previous),
    }
    if draft.source is not None and draft.source.commit is not None:
        values["COMMIT"] = draft.source.commit
    return {f"WINDLASS_{name}": value for name, value in values.items()}
