"""Tasks that wait for something outside of their run, and hold no pod: an object, another run, a time.

                   ┌─ it is there ─▶ Succeeded (Waited)
Running ───────────┼─ it never will be: failsWhen ─▶ Failed (WaitFailed)
WaitingFor…        └─ timeout ─▶ Failed (WaitTimeout) | Skipped (WaitTimeout)

Nothing but the moment that it began is stored: what is awaited is looked at anew with each plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from windlass.models.common import delta, format_time, parse_time
from windlass.models.run import RunPhase, TaskPhase, TaskStatus
from windlass.models.wait import RunEnd, WaitFor, WaitObject, WaitRun, WaitTimeout
from windlass.plan.attempts import fail
from windlass.plan.budget import cut
from windlass.plan.draft import Draft, changed
from windlass.plan.history import RunSummary
from windlass.plan.sights import ObjectQuestion, PathError, SightKind, holds, told
from windlass.plan.templates import TemplateError, render
from windlass.plan.times import logical_date
from windlass.plan.types import Node

WAITED: Final = "Waited"
TIMED_OUT: Final = "WaitTimeout"
FAILED: Final = "WaitFailed"
WAITS: Final = "waits for "
"""How the message of a task begins that waits for an object or a run."""
INVALID: Final = "WaitInvalid"
DEFAULT_INTERVAL: Final = timedelta(minutes=1)


def advance_wait(draft: Draft, node: Node, status: TaskStatus, context: Mapping[str, Any]) -> TaskStatus:
    """Look whether what is awaited has come. `context` is what the fields may read."""
    wait = node.task.wait_for
    assert wait is not None, "only tasks that wait are asked"
    if status.phase is not TaskPhase.RUNNING:
        if draft.holding:
            return changed(status, phase=TaskPhase.QUEUED, reason="Suspended", message=None, retry_at=None)
        status = status.model_copy(
            update={"phase": TaskPhase.RUNNING, "started_at": draft.moment, "reason": None, "message": None}
        )
    try:
        after = _looked(draft, node, wait, status, context)
    except TemplateError as error:
        return fail(draft, status, "TemplateError", str(error))
    except (PathError, ValueError) as error:
        return fail(draft, status, INVALID, str(error))
    return after if after.phase.ended else _bounded(draft, wait, after)


def timed_out(draft: Draft, wait: WaitFor, status: TaskStatus) -> TaskStatus | None:
    """The end of a task that has waited too long; None while it may go on."""
    due = wait_deadline(wait, status)
    if due is None:
        return None
    if due > draft.now:
        draft.wake(due)
        return None
    what = f": it {status.message}" if status.message is not None and status.message.startswith(WAITS) else ""
    message = cut(f"it has not come within {wait.timeout}{what}", 512)
    if wait.on_timeout is WaitTimeout.SKIP:
        fields = {"reason": TIMED_OUT, "message": message, "finished_at": format_time(due), "retry_at": None}
        return status.model_copy(update={"phase": TaskPhase.SKIPPED, **fields})
    return fail(draft, status, TIMED_OUT, message, due)


def wait_deadline(wait: WaitFor, status: TaskStatus) -> datetime | None:
    """Until when the task waits; None: for ever."""
    since = status.ready_at or status.started_at
    return parse_time(since) + delta(wait.timeout) if wait.timeout is not None and since is not None else None


def _bounded(draft: Draft, wait: WaitFor, status: TaskStatus) -> TaskStatus:
    return timed_out(draft, wait, status) or status


def _looked(draft: Draft, node: Node, wait: WaitFor, status: TaskStatus, context: Mapping[str, Any]) -> TaskStatus:
    if wait.duration is not None:
        since = parse_time(status.started_at) if status.started_at is not None else draft.now
        return _until(draft, status, since + delta(wait.duration))
    if wait.time is not None:
        text = render({"waitFor": {"time": wait.time}}, context, double_dollar=False)["waitFor"]["time"]
        try:
            moment = text if isinstance(text, datetime) else parse_time(str(text))
        except ValueError:
            said = f"waitFor.time: {cut(str(text), 100)!r} is no instant with a zone: 2025-04-01T17:00:00Z"
            raise ValueError(said) from None
        return _until(draft, status, moment)
    if wait.run is not None:
        return _run(draft, wait.run, status)
    if wait.object is not None:
        return _object(draft, node, wait, wait.object, status, context)
    raise ValueError("waitFor says nothing to wait for")


def _until(draft: Draft, status: TaskStatus, moment: datetime) -> TaskStatus:
    if moment <= draft.now:
        return _come(draft, status, f"it is {format_time(moment)}", None)
    draft.wake(moment)
    return changed(status, reason="WaitingForTime", message=f"waits until {format_time(moment)}")


def _run(draft: Draft, wait: WaitRun, status: TaskStatus) -> TaskStatus:
    draft.awaited_workflows.add(wait.workflow)
    run, wanted = draft.seen.run, wait.end or RunEnd.SUCCEEDED
    others = [one for one in draft.seen.others.get(wait.workflow, ()) if one.uid != run.uid]
    if wait.within is None:
        found = [one for one in others if one.logical_date == logical_date(run)]
        which = f"of {format_time(logical_date(run))}"
    else:
        oldest = draft.now - delta(wait.within)
        found = [one for one in others if one.finished_at is not None and one.finished_at >= oldest]
        which = f"that ended within {wait.within}"
    good = [one for one in found if _ended_so(one, wanted)]
    if good:
        best = max(good, key=lambda one: (one.finished_at or one.created_at, one.name))
        return _come(draft, status, f"run {best.name} has ended {best.phase}", {"run": best.name})
    ends = "to succeed" if wanted is RunEnd.SUCCEEDED else "to end"
    other = f"; {found[0].name} is {found[0].phase or 'Pending'}" if found else ""
    message = f"waits for a run of {wait.workflow} {which} {ends}{other}"
    return changed(status, reason="WaitingForRun", message=cut(message, 512))


def _ended_so(run: RunSummary, wanted: RunEnd) -> bool:
    return run.phase is RunPhase.SUCCEEDED if wanted is RunEnd.SUCCEEDED else run.ended


def _object(
    draft: Draft, node: Node, wait: WaitFor, awaited: WaitObject, status: TaskStatus, context: Mapping[str, Any]
) -> TaskStatus:
    question = object_question(node, wait, awaited, context)
    draft.questions[question] = None
    sight = draft.seen.sights.get(question)
    what = f"{awaited.kind} {question.name or question.selector or ''}".strip()
    test = told(awaited)
    waits = f"waits for {what}" + (f": {test}" if test else "")
    if sight is None:
        return changed(status, reason="WaitingForObject", message=cut(waits, 512))
    if sight.kind is SightKind.REFUSED:
        return changed(status, reason="WaitingForRight", message=cut(f"{waits}; {sight.message}", 1000))
    for obj in sight.objects:
        name = str(obj["metadata"]["name"])
        if awaited.fails_when is not None and holds(awaited.fails_when, obj):
            return fail(draft, status, FAILED, f"{awaited.kind} {name}: {told(awaited.fails_when)}")
        if holds(awaited, obj):
            return _come(
                draft, status, f"{awaited.kind} {name} is there" + (f": {test}" if test else ""), {"name": name}
            )
    missing = "" if sight.objects else "; there is none"
    return changed(status, reason="WaitingForObject", message=cut(waits + missing, 512))


def object_question(node: Node, wait: WaitFor, awaited: WaitObject, context: Mapping[str, Any]) -> ObjectQuestion:
    """What the cluster is asked, with all templates replaced."""
    fields = {"name": awaited.name, "selector": awaited.selector}
    rendered = render({"waitFor": {"object": fields}}, context, double_dollar=False)["waitFor"]["object"]
    selector = ",".join(f"{key}={value}" for key, value in sorted((rendered["selector"] or {}).items()))
    interval = delta(wait.interval) if wait.interval is not None else DEFAULT_INTERVAL
    return ObjectQuestion(
        service_account=node.task.service_account_name or "default",
        api_version=awaited.api_version,
        kind=awaited.kind,
        name=None if rendered["name"] is None else str(rendered["name"]),
        selector=selector,
        interval=interval.total_seconds(),
    )


def _come(draft: Draft, status: TaskStatus, message: str, outputs: dict[str, Any] | None) -> TaskStatus:
    return status.model_copy(
        update={
            "phase": TaskPhase.SUCCEEDED,
            "reason": WAITED,
            "message": cut(message, 512),
            "finished_at": draft.moment,
            "outputs": outputs,
        }
    )
