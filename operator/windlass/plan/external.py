"""Tasks that make an object of the cluster and follow it to its end, as their service account.

                       ┌─ successWhen ─▶ Succeeded, with what its paths give as outputs
Queued ─▶ Running ─────┼─ failureWhen ─▶ Retrying | Failed (ResourceFailed)
       ResourceRunning └─ it vanished ─▶ Retrying | Failed (class Infra, ResourceGone)

make: Delete           Running (Removing) ── there is none ─▶ Succeeded

The object's name is derived, or the author's, and stands in the status before the object is made; labels say whose it
is. What was made is deleted when the run is stopped, unless `remove` says Never; with WhenDone, when the attempt ends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from windlass import names
from windlass.models.common import API_VERSION_PATTERN, PATTERN_WORDS, parse_time
from windlass.models.external import ExternalResource, Make, Removal
from windlass.models.run import Attempt, FailureClass, TaskPhase, TaskStatus
from windlass.models.wait import ObjectTest
from windlass.plan.attempts import cancel, conclude, fail, next_number, refused, under_way, with_attempt
from windlass.plan.budget import MAX_RUN_OUTPUTS, cut
from windlass.plan.draft import Draft, changed
from windlass.plan.known_kinds import ends_of
from windlass.plan.sights import ObjectQuestion, PathError, Sight, SightKind, conditions, holds, told, values
from windlass.plan.task_types import ObjectLaunch, ObjectRemoval
from windlass.plan.templates import TemplateError, render
from windlass.plan.types import Node, PodResult, RefusalKind

RUNNING: Final = "ResourceRunning"
REMOVING: Final = "Removing"
INVALID: Final = "ResourceInvalid"


def follow_object(draft: Draft, node: Node, status: TaskStatus) -> TaskStatus:
    """Take what the object of an attempt under way says."""
    made = node.task.resource
    if made is None or not under_way(status):
        return status
    last = status.attempts[-1]
    key = names.object_name(draft.seen.run.name, draft.seen.run.uid, status.name, last.number)
    if last.uid is None and key in draft.seen.refusals:
        return _without_last(status).model_copy(update={"phase": TaskPhase.QUEUED})
    question = _question(node, last)
    draft.questions[question] = None
    sight = draft.seen.sights.get(question)
    if made.make is Make.DELETE:
        return _deleting(draft, node, status, question, sight)
    found = sight.objects[0] if sight is not None and sight.objects else _just_made(draft, last)
    if found is None:
        return _unseen(draft, node, status, question)
    uid = found["metadata"]["uid"]
    if last.uid != uid and (last.uid is not None or not _ours(draft, node, found, made, last.number)):
        message = f"a {question.kind} named {question.name} exists already and is not of this attempt"
        return refused(draft, _without_last(status), "NameTaken", message)
    status = _noted(draft, status, found)
    try:
        result = _result(made, question, found)
    except PathError as error:
        return fail(draft, status, INVALID, str(error))
    if result is not None:
        after = conclude(draft, node, status, result, None)
        return _done_with(draft, node, after, question, found)
    return _goes_on(draft, node, status, question, found)


def start_object(draft: Draft, node: Node, status: TaskStatus, context: Mapping[str, Any]) -> TaskStatus:
    """Make the object of the next attempt. `context` is what its strings may read."""
    made = node.task.resource
    assert made is not None, "only tasks with a resource make one"
    run, number = draft.seen.run, next_number(status)
    key = names.object_name(run.name, run.uid, status.name, number)
    refusal = draft.seen.refusals.get(key)
    if refusal is not None and refusal.kind is RefusalKind.LAUNCH:
        return refused(draft, status, refusal.reason, refusal.message)
    if draft.holding:
        return changed(status, phase=TaskPhase.QUEUED, reason="Suspended", message=None, retry_at=None)
    if refusal is not None and refusal.retry_at is not None and refusal.retry_at > draft.now:
        draft.wake(refusal.retry_at)
        message = cut(refusal.message, 512)
        return changed(status, phase=TaskPhase.QUEUED, reason=refusal.reason, message=message, retry_at=None)
    try:
        manifest = render({"resource": {"manifest": made.manifest}}, context, double_dollar=False)
        if made.make is Make.DELETE and not _named(made):
            raise ValueError("resource.manifest.metadata.name is missing: which object is to be deleted?")
        body = _manifest(draft, node, made, manifest["resource"]["manifest"], number, key)
    except TemplateError as error:
        return fail(draft, status, "TemplateError", str(error))
    except ValueError as error:
        return fail(draft, status, INVALID, str(error))
    name, kind = body["metadata"]["name"], f"{body['apiVersion']}/{body['kind']}"
    update = with_attempt(status, Attempt(number=number, object=name, kind=kind))
    draft.wake(draft.now)  # to ask for the object as soon as it is made: no event would say so
    if made.make is not Make.DELETE:
        draft.objects.append(ObjectLaunch(key, _account(node), body, made.make is Make.APPLY, number))
    return status.model_copy(
        update={
            **update,
            "phase": TaskPhase.RUNNING,
            "reason": REMOVING if made.make is Make.DELETE else RUNNING,
            "message": f"{body['kind']} {name} is being {'deleted' if made.make is Make.DELETE else 'made'}",
            "retry_at": None,
            "started_at": status.started_at or draft.moment,
        }
    )


def remove_object(draft: Draft, node: Node, status: TaskStatus) -> TaskStatus:
    """Delete what an ended task has made and is to be rid of; the status says so until it is gone."""
    question = _question(node, status.attempts[-1])
    draft.questions[question] = None
    sight = draft.seen.sights.get(question)
    if sight is None or sight.kind is not SightKind.SEEN:
        return status
    uid = status.attempts[-1].uid
    found = [obj for obj in sight.objects if obj["metadata"]["uid"] == uid]
    if not found:
        return status.model_copy(update={"removing": None})
    _remove(draft, question, found[0])
    return status


def _deleting(
    draft: Draft, node: Node, status: TaskStatus, question: ObjectQuestion, sight: Sight | None
) -> TaskStatus:
    """Have the object deleted, and wait until it is gone; another one of its name is not meant."""
    last = status.attempts[-1]
    if sight is not None and sight.kind is SightKind.REFUSED:
        status = changed(status, reason="WaitingForRight", message=cut(sight.message, 1000))
    elif sight is not None:
        found = [obj for obj in sight.objects if last.uid in (None, obj["metadata"]["uid"])]
        if not found:
            return conclude(draft, node, status, PodResult(None, "Completed", message="{}"), None)
        status = _noted(draft, status, found[0])
        refused = _remove(draft, question, found[0])
        told = f"{question.kind} {question.name} is being deleted"
        status = changed(status, reason="WaitingForRight" if refused else REMOVING, message=cut(refused or told, 1000))
    if (stopping := draft.stops(node)) is not None:
        return cancel(status, stopping.reason, draft.moment)
    if _late(draft, node, last):
        return conclude(draft, node, status, _timed_out(question), None)
    if (due := _due(node, status.attempts[-1])) is not None:
        draft.wake(due)
    return status


def _just_made(draft: Draft, attempt: Attempt) -> Mapping[str, Any] | None:
    """The answer to its create, while nobody has seen it: what was seen and is not there any more is gone."""
    return draft.seen.made.get(attempt.object or "") if attempt.uid is None else None


def _unseen(draft: Draft, node: Node, status: TaskStatus, question: ObjectQuestion) -> TaskStatus:
    """No object is known: nobody has looked yet, it was never made, or it is gone."""
    last, sight = status.attempts[-1], draft.seen.sights.get(question)
    if sight is not None and sight.kind is SightKind.REFUSED:
        return changed(status, reason="WaitingForRight", message=cut(sight.message, 1000))
    if sight is None:
        return status
    if last.uid is None:
        if (stopping := draft.stops(node)) is not None:
            return cancel(status, stopping.reason, draft.moment)
        return _without_last(status).model_copy(update={"phase": TaskPhase.QUEUED})
    if _late(draft, node, last):
        return conclude(draft, node, status, _timed_out(question), None)
    message = f"the {question.kind} {question.name} was deleted, and its result with it"
    return conclude(draft, node, status, PodResult(FailureClass.INFRA, "ResourceGone", message=message), None)


def _goes_on(
    draft: Draft, node: Node, status: TaskStatus, question: ObjectQuestion, found: Mapping[str, Any]
) -> TaskStatus:
    last = status.attempts[-1]
    stopping = draft.stops(node)
    if stopping is not None or status.order is not None or _late(draft, node, last):
        if node.task.resource is not None and node.task.resource.remove is Removal.NEVER:
            if stopping is not None:
                return cancel(status, stopping.reason, draft.moment)
            return conclude(draft, node, status, _timed_out(question), None)
        return changed(status, reason="Stopping", message=_remove(draft, question, found))
    if (due := _due(node, last)) is not None:
        draft.wake(due)
    made = node.task.resource
    wanted = _ends(made, question)[0] if made is not None else ()
    waits = f": waits for {' or '.join(map(told, wanted[:3]))}" if wanted else ""
    message = cut(f"{question.kind} {question.name}{waits}", 512)
    return changed(status, phase=TaskPhase.RUNNING, reason=RUNNING, message=message)


def _done_with(
    draft: Draft, node: Node, status: TaskStatus, question: ObjectQuestion, found: Mapping[str, Any]
) -> TaskStatus:
    """With WhenDone the object goes at the end of each attempt; the last one is looked after until it is gone."""
    made = node.task.resource
    if made is not None and status.phase is TaskPhase.RETRYING and _named(made) and made.remove is not Removal.NEVER:
        _remove(draft, question, found)  # the next attempt wants the name
    if made is None or made.remove is not Removal.WHEN_DONE:
        return status
    _remove(draft, question, found)
    return status.model_copy(update={"removing": True}) if status.phase.ended else status


def _ends(made: ExternalResource, question: ObjectQuestion) -> tuple[Sequence[ObjectTest], Sequence[ObjectTest]]:
    """What says that it ended well, and what that it did not."""
    known = ends_of(question.api_version, question.kind)
    success = known.success if made.success_when is None else made.success_when
    return success, known.failure if made.failure_when is None else made.failure_when


def _result(made: ExternalResource, question: ObjectQuestion, found: Mapping[str, Any]) -> PodResult | None:
    success, failure = _ends(made, question)
    bad = next((test for test in failure if holds(test, found)), None)
    if bad is not None:
        return PodResult(
            FailureClass.APP, "ResourceFailed", message=f"{question.kind} {question.name}: {_why(bad, found)}"
        )
    if success and not any(holds(test, found) for test in success):
        return None
    outputs = {name: _value(path, found) for name, path in made.outputs.items()}
    return PodResult(None, "Completed", message=json.dumps(outputs), limit_bytes=MAX_RUN_OUTPUTS)


def _value(path: str, found: Mapping[str, Any]) -> Any:
    there = values(path, found)
    return there[0] if len(there) == 1 else there or None


def _why(test: ObjectTest, found: Mapping[str, Any]) -> str:
    """The test that says so, with the message of its condition."""
    wanted = (test.condition or "").partition("=")[0]
    message = next((str(one["message"]) for one in conditions(found, wanted) if one.get("message")), "")
    return cut(f"{told(test)}{f': {message}' if message else ''}", 512)


def _manifest(
    draft: Draft, node: Node, made: ExternalResource, manifest: dict[str, Any], number: int, key: str
) -> dict[str, Any]:
    """The object as it is made. ValueError when it is none that may be."""
    run = draft.seen.run
    if problem := manifest_problem(manifest, run.namespace):
        raise ValueError(f"resource.manifest: {problem}")
    metadata = dict(manifest.get("metadata") or {})
    labels = {
        **(metadata.get("labels") or {}),
        names.LABEL_RUN_UID: run.uid,
        names.LABEL_TASK: node.task.name,
        names.LABEL_ATTEMPT: str(number),
    }
    metadata |= {"namespace": run.namespace, "name": metadata.get("name") or key, "labels": labels}
    if made.remove is not Removal.NEVER:
        owner = {"apiVersion": names.API_VERSION, "kind": "WorkflowRun", "name": run.name, "uid": run.uid}
        metadata["ownerReferences"] = [*(metadata.get("ownerReferences") or []), owner]
    return {**manifest, "metadata": metadata}


def manifest_problem(manifest: Mapping[str, Any], namespace: str | None = None) -> str | None:
    """Why no task may make such an object; None when one may. Without a namespace any may be said."""
    version, kind = manifest.get("apiVersion"), manifest.get("kind")
    if not (isinstance(version, str) and version and isinstance(kind, str) and kind):
        return "it needs apiVersion and kind"
    if not re.fullmatch(API_VERSION_PATTERN, version):
        return f"apiVersion {cut(version, 100)} {PATTERN_WORDS[API_VERSION_PATTERN]}"
    if kind == "Secret" and "/" not in version:
        return "Secrets are not made by tasks"
    metadata = manifest.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        return "metadata is no object"
    if not isinstance(metadata.get("name") or "", str):
        return "metadata.name is no text: write it in quotes"
    if not isinstance(metadata.get("labels") or {}, Mapping):
        return "metadata.labels is no object"
    owners = metadata.get("ownerReferences") or []
    if not isinstance(owners, list):
        return "metadata.ownerReferences is no list"
    if namespace is not None and metadata.get("namespace") not in (None, "", namespace):
        return f"an object goes to the run's namespace, {namespace}"
    return None


def _ours(draft: Draft, node: Node, found: Mapping[str, Any], made: ExternalResource, number: int) -> bool:
    labels = found["metadata"].get("labels") or {}
    wanted = {
        names.LABEL_RUN_UID: draft.seen.run.uid,
        names.LABEL_TASK: node.task.name,
        names.LABEL_ATTEMPT: str(number),
    }
    return made.make is Make.APPLY or all(labels.get(key) == value for key, value in wanted.items())


def _named(made: ExternalResource) -> bool:
    """Whether its author has said what it is called."""
    metadata = made.manifest.get("metadata")
    return isinstance(metadata, dict) and bool(metadata.get("name"))


def _question(node: Node, attempt: Attempt) -> ObjectQuestion:
    api_version, _, kind = (attempt.kind or "").rpartition("/")
    return ObjectQuestion(_account(node), api_version, kind, attempt.object)


def _account(node: Node) -> str:
    return node.task.service_account_name or "default"


def _noted(draft: Draft, status: TaskStatus, found: Mapping[str, Any]) -> TaskStatus:
    last, uid = status.attempts[-1], found["metadata"]["uid"]
    if last.uid == uid:
        return status
    seen = last.model_copy(update={"uid": uid, "created_at": draft.moment, "started_at": draft.moment})
    return status.model_copy(update={"attempts": [*status.attempts[:-1], seen]})


def _without_last(status: TaskStatus) -> TaskStatus:
    return status.model_copy(update={"attempts": status.attempts[:-1]})


def _due(node: Node, attempt: Attempt) -> datetime | None:
    if node.timeout is None or attempt.created_at is None:
        return None
    return parse_time(attempt.created_at) + node.timeout


def _late(draft: Draft, node: Node, attempt: Attempt) -> bool:
    due = _due(node, attempt)
    return due is not None and due <= draft.now


def _timed_out(question: ObjectQuestion) -> PodResult:
    message = f"the {question.kind} {question.name} took too long"
    return PodResult(FailureClass.TIMEOUT, "DeadlineExceeded", message=message)


def _remove(draft: Draft, question: ObjectQuestion, found: Mapping[str, Any]) -> str | None:
    """Have the object deleted, unless it goes already. Why that is refused for now, in the cluster's words."""
    if "deletionTimestamp" in found["metadata"]:
        return None
    removal = ObjectRemoval(question, found["metadata"]["uid"])
    refusal = draft.seen.refusals.get(removal.key)
    if refusal is None:
        draft.removals.append(removal)
        return None
    if refusal.retry_at is not None:
        draft.wake(refusal.retry_at)
    return cut(refusal.message, 512)
