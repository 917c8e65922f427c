"""The planner: from what is known of a run to what to do next. Equal inputs give equal plans.

ended before? ──▶ only its pods and its workspace are left
a pod that the status names is missing? ──▶ have it read live first
stop? ──▶ source ──▶ tasks, in topological order ──▶ finally ──▶ end? ──▶ pods ──▶ status
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from operator import is_not
from typing import Any

from windlass import names
from windlass.models.common import format_time, parse_time
from windlass.models.run import RunPhase, TaskPhase, TaskStatus, WorkflowRunStatus
from windlass.plan.assets import produced_assets
from windlass.plan.attempts import under_way
from windlass.plan.budget import fit, json_size
from windlass.plan.deadline import judge
from windlass.plan.draft import Draft
from windlass.plan.external import remove_object
from windlass.plan.finish import finished, tasks_outcome
from windlass.plan.foreach_pods import YOUNGEST, unconfirmed_instances
from windlass.plan.groups import run_again, withhold
from windlass.plan.orders import current_orders, suspended
from windlass.plan.progress import progress, running_conditions, running_message
from windlass.plan.retention import DELETE_WORKSPACE_WITHIN, settle_pods, workspace_due
from windlass.plan.source import advance_source
from windlass.plan.stopping import begin_stopping, finally_deadline, run_deadline, time_out, time_out_finally
from windlass.plan.tasks import advance
from windlass.plan.types import Node, Plan, Seen


def plan_run(seen: Seen, now: datetime) -> Plan:
    """The next actions of a run that was admitted."""
    phase = seen.run.status.phase
    if phase is not None and phase.ended:
        return _after_end(seen, now)
    missing = tuple(_unconfirmed(seen))
    if missing:
        return Plan(status=seen.run.status, confirm=missing)
    draft = Draft.begin(seen, now)
    _advance(draft)
    judged = judge(seen.run, seen.program.spec, _status(draft), now)
    status = judged.status
    draft.events.extend(judged.events)
    if judged.wake_at is not None:
        draft.wake(judged.wake_at)
    fields_of_end = {} if status.phase is None or not status.phase.ended else _end_actions(draft, status)
    return Plan(
        status=status,
        launches=tuple(draft.launches),
        wants=tuple(draft.wants),
        short=draft.short,
        questions=tuple(draft.questions),
        awaited=frozenset(draft.awaited_workflows),
        objects=tuple(draft.objects),
        removals=tuple(draft.removals),
        children=tuple(draft.children),
        child_stops=tuple(draft.child_stops),
        confirm_children=tuple(draft.confirm_children),
        releases=settle_pods(draft, draft.source),
        endings=tuple(draft.endings.values()),
        create_workspace=_needs_workspace(draft),
        events=tuple(draft.events),
        urgent=status.phase is not seen.run.status.phase,
        wake_at=draft.wake_at,
        **fields_of_end,
    )


def _unconfirmed(seen: Seen) -> Iterator[str]:
    """Pods of attempts under way that the cache lacks, and nobody has looked for yet."""
    for status in _all_statuses(seen.run.status):
        if status.instances is not None:
            yield from unconfirmed_instances(seen, status)
        elif under_way(status):
            pod = status.attempts[-1].pod
            if pod is not None and pod not in seen.pods and pod not in seen.gone and pod not in seen.refusals:
                yield pod


def _all_statuses(status: WorkflowRunStatus) -> Iterable[TaskStatus]:
    step = status.source.step if status.source is not None else None
    return status.tasks if step is None else [step, *status.tasks]


def _advance(draft: Draft) -> None:
    """Bring everything as far as it goes."""
    seen = draft.seen
    nodes = seen.program.nodes.values()
    main = [node for node in nodes if not node.is_finally]
    finals = [node for node in nodes if node.is_finally]
    begin_stopping(draft)
    deadline = run_deadline(seen, draft.now)
    late = deadline is not None and deadline <= draft.now and draft.stopping is None
    draft.holding = late or _suspended(draft)
    advance_source(draft)
    _bound_teardowns(draft, main, deadline)
    open_tasks = _advance_groups(draft, main)
    if late and open_tasks:
        time_out(draft)
        draft.holding = False
        withhold(draft)
        advance_source(draft)
        open_tasks = _advance_nodes(draft, main)
    draft.holding = _suspended(draft)
    if open_tasks and _bound_teardowns(draft, main, deadline):
        open_tasks = _advance_nodes(draft, main)
    if open_tasks:
        if deadline is not None and draft.stopping is None:
            draft.wake(deadline)
        return
    draft.outcome = tasks_outcome(seen.program, draft.tasks, draft.stopping.reason if draft.stopping else None)
    if finals:
        _advance_finally(draft, finals, deadline)


def _advance_groups(draft: Draft, main: list[Node]) -> int:
    """Advance the tasks, and those again whose group is run again; how many are open, with groups that wait."""
    withhold(draft)
    left = _advance_nodes(draft, main)
    while run_again(draft):
        left = _advance_nodes(draft, main)
    return left + len(draft.withheld)


def _bound_teardowns(draft: Draft, main: list[Node], deadline: datetime | None) -> bool:
    """Give the teardowns that are left in a run that is being stopped their time; whether it is over."""
    left = [node for node in main if not draft.tasks[node.task.name].phase.ended]
    due = finally_deadline(draft, deadline) if draft.stopping is not None else None
    if due is None or not left or not all(node.task.teardown_of for node in left):
        return False
    if due > draft.now:
        draft.wake(due)
        return False
    time_out_finally(draft, due)
    return True


def _suspended(draft: Draft) -> bool:
    """Nothing new is to start. A run that is being stopped goes on to its end, with `finally`."""
    return suspended(draft.seen.run) and draft.stopping is None


def _advance_finally(draft: Draft, finals: list[Node], deadline: datetime | None) -> None:
    own_deadline = finally_deadline(draft, deadline)
    late = own_deadline is not None and own_deadline <= draft.now
    if own_deadline is not None and late:
        time_out_finally(draft, own_deadline)
    open_finals = _advance_nodes(draft, finals)
    if late and any(draft.ends.get(node.task.name) in (None, TaskPhase.CANCELLED) for node in finals):
        draft.stopping = draft.stopping or draft.stopping_finals
    elif open_finals and own_deadline is not None:
        draft.wake(own_deadline)


def _advance_nodes(draft: Draft, nodes: Iterable[Node]) -> int:
    """Advance these tasks in their order; how many are not at their end."""
    tasks, left = draft.tasks, 0
    for node in nodes:
        name = node.task.name
        before = tasks[name]
        if before.phase.ended:
            if before.removing:
                tasks[name] = remove_object(draft, node, before)
                left += tasks[name].removing is not None
            continue
        after = advance(draft, node, before)
        if after is not before:
            tasks[name] = after
        if after.phase.ended:
            draft.ends[name] = after.phase
            if after.phase is TaskPhase.FAILED and node.task.group is not None:
                withhold(draft)
        else:
            left += 1
    return left


def _status(draft: Draft) -> WorkflowRunStatus:
    """What the status should be; the very same object when nothing changed."""
    run = draft.seen.run
    stored = run.status
    tasks = [*draft.tasks.values()]
    ended = not draft.withheld and _all_ended(draft, tasks)
    fields = finished(draft, stored) if ended else _running(draft, stored, tasks)
    if len(stored.tasks) != len(tasks) or any(map(is_not, tasks, stored.tasks)):
        fields["tasks"] = list(fit(tasks, json_size(stored.params) if stored.params else 0))
    fields["source"] = draft.source
    fields["groups"] = [*draft.groups.values()] or None
    if draft.seen.program.produces:
        fields["assets"] = produced_assets(draft.seen.program, draft.tasks, stored.assets)
    fields["orders"] = current_orders(draft.seen.run)
    if draft.seen.program.spec.workspace is not None and any(task.attempts for task in tasks):
        fields["workspace"] = names.workspace_claim_name(run.name, run.uid)
    values = stored.__dict__
    update = {name: value for name, value in fields.items() if values[name] != value}
    return stored.model_copy(update=update) if update else stored


def _all_ended(draft: Draft, tasks: Iterable[TaskStatus]) -> bool:
    step = draft.source.step if draft.source is not None else None
    return all(task.phase.ended and not task.removing for task in tasks) and (step is None or step.phase.ended)


def _running(draft: Draft, stored: WorkflowRunStatus, tasks: list[TaskStatus]) -> dict[str, Any]:
    run = draft.seen.run
    suspended = _suspended(draft)
    phase = RunPhase.SUSPENDED if suspended else RunPhase.RUNNING
    stopping = draft.stopping
    reason = stopping.reason if stopping is not None else "Suspended" if suspended else "TasksRunning"
    message = running_message(tasks)
    if draft.source is not None and draft.source.commit is None:
        message = f"{message}, the source's ref {draft.source.ref} is being resolved"
    return {
        "phase": phase,
        "reason": reason,
        "message": f"stopping: {message}" if stopping is not None else message,
        "progress": progress(tasks),
        "workflow": stored.workflow or run.workflow,
        "started_at": stored.started_at or draft.moment,
        "stop_reason": stopping.reason if stopping is not None else None,
        "stopping_at": format_time(stopping.since) if stopping is not None else None,
        "observed_generation": run.generation,
        "conditions": running_conditions(stored.conditions, run, phase, draft.moment),
    }


def _needs_workspace(draft: Draft) -> bool:
    """Whether the claim may not be there yet: no pod of a task was ever seen."""
    if draft.seen.program.spec.workspace is None:
        return False
    if all(launch.task == names.SOURCE_STEP for launch in draft.launches):
        return False
    if draft.seen.run.status.attempt is not None:
        # It may have been deleted after an earlier end.
        return True
    seen_pods = any(pod.task != names.SOURCE_STEP for pod in draft.seen.pods.values())
    recorded = any(attempt.uid is not None for task in draft.seen.run.status.tasks for attempt in task.attempts)
    return not (seen_pods or recorded)


def _after_end(seen: Seen, now: datetime) -> Plan:
    """What is left to do for a run that has ended."""
    draft = Draft.begin(seen, now)
    releases = settle_pods(draft, seen.run.status.source)
    return Plan(
        status=seen.run.status,
        releases=releases,
        endings=tuple(draft.endings.values()),
        **_end_actions(draft, seen.run.status),
        wake_at=draft.wake_at,
    )


def _end_actions(draft: Draft, status: WorkflowRunStatus) -> dict[str, Any]:
    """What is left to do at and after the end. The run is watched for a while yet: a create may come late."""
    due = workspace_due(draft.seen.program, status)
    finished = parse_time(status.finished_at) if status.finished_at else draft.now
    waits = [moment for moment in (due, finished + YOUNGEST) if moment is not None and moment > draft.now]
    if waits and (due in waits or not draft.seen.pods):
        draft.wake(max(waits))
    forget = not draft.seen.pods and not waits
    delete = due is not None and due <= draft.now < due + DELETE_WORKSPACE_WITHIN
    # Asked for at the end, and once more when all is over, in case the first time was lost in a crash.
    asked = forget or due != finished or status is not draft.seen.run.status
    return {"delete_workspace": delete and asked, "forget": forget}
