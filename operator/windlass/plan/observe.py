"""From a pod as the API gives it to what the planner needs of it: how far it is, and how it ended.

The container `main` decides: sidecars and init containers matter only while it has not started, or when they go on
after its end. How an attempt is
classified is in `classify`; nothing here knows of runs, budgets or time that passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from windlass.models.common import parse_time
from windlass.names import (
    LABEL_ATTEMPT,
    LABEL_INDEX,
    LABEL_POOL,
    LABEL_RUN,
    LABEL_RUN_UID,
    LABEL_SLOTS,
    LABEL_TASK,
    LABEL_WORKFLOW,
    MAIN_CONTAINER,
    RESULT_FINALIZER,
)
from windlass.plan.classify import PodFacts, classify
from windlass.plan.types import PodPhase, PodView

_TERMINAL: Final = ("Succeeded", "Failed")
_DULL: Final = ("ContainerCreating", "PodInitializing", "")
"""Reasons of waiting that say no more than that it has not started."""


def observe(pod: Mapping[str, Any]) -> PodView:
    """What is kept of a pod. ValueError says what is wrong with one that can't be read."""
    try:
        return _observe(pod)
    except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        metadata = pod.get("metadata") if isinstance(pod, Mapping) else None
        name = f"{metadata.get('namespace')}/{metadata.get('name')}" if isinstance(metadata, Mapping) else "(no name)"
        problem = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"pod {name} is malformed: {problem}") from error


def _observe(pod: Mapping[str, Any]) -> PodView:
    metadata, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    labels = metadata.get("labels") or {}
    facts = _facts(metadata, spec, status)
    phase = _phase(facts, spec, status)
    ended = phase is PodPhase.ENDED
    waiting_reason, waiting_message = ("", "") if ended else _waiting(status, facts)
    run, run_uid = _owner(metadata, labels)
    main = facts.main_state
    ran = main.get("running") or main.get("terminated") or {}
    return PodView(
        namespace=_text(metadata["namespace"]),
        name=_text(metadata["name"]),
        uid=_text(metadata["uid"]),
        version=int(metadata["resourceVersion"]),
        workflow=_text(labels.get(LABEL_WORKFLOW, "")),
        run=run,
        run_uid=run_uid,
        task=_text(labels[LABEL_TASK]),
        attempt=_attempt(labels[LABEL_ATTEMPT]),
        phase=phase,
        created_at=parse_time(metadata["creationTimestamp"]),
        index=_index(labels.get(LABEL_INDEX)),
        started_at=_moment(ran.get("startedAt")),
        finished_at=_finished_at(facts, status) if ended else None,
        deleting_since=facts.deleting_since,
        pool=_text(labels.get(LABEL_POOL, "")),
        slots=_slots(labels),
        held=RESULT_FINALIZER in (metadata.get("finalizers") or ()),
        terminal=facts.terminal,
        lingers=ended and not facts.terminal and _others_go_on(spec, status),
        ending=spec.get("activeDeadlineSeconds") == 1,
        node=spec.get("nodeName"),
        result=classify(facts) if ended else None,
        waiting_reason=waiting_reason,
        waiting_message=waiting_message,
        node_lost=_node_lost(facts, status),
    )


def _slots(labels: Mapping[str, Any]) -> int:
    """What the pod takes of its pool. Labels are anybody's to write: what is no number takes one slot."""
    if not labels.get(LABEL_POOL):
        return 0
    text = str(labels.get(LABEL_SLOTS, "1"))
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 1


def _facts(metadata: Mapping[str, Any], spec: Mapping[str, Any], status: Mapping[str, Any]) -> PodFacts:
    containers, inits = spec.get("containers") or (), spec.get("initContainers") or ()
    count = len(containers) + len(inits) + len(spec.get("ephemeralContainers") or ())
    main = _named(status.get("containerStatuses") or (), MAIN_CONTAINER)
    sidecars = {one["name"] for one in inits if one.get("restartPolicy") == "Always"}
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    deleting_since = _deleting_since(metadata)
    # Nothing will ever start a pod that was deleted before it had a node, though its finalizer keeps it.
    never = deleting_since is not None and not spec.get("nodeName")
    disruption = conditions.get("DisruptionTarget", {})
    disrupted = disruption.get("status") == "True"
    return PodFacts(
        phase=status.get("phase") or "Pending",
        reason=status.get("reason") or "",
        message=status.get("message") or "",
        main_state=main.get("state") or {},
        init_statuses=[one for one in status.get("initContainerStatuses") or () if one["name"] not in sidecars],
        main_spec=_named(containers, MAIN_CONTAINER),
        pod_user=(spec.get("securityContext") or {}).get("runAsUser"),
        node=spec.get("nodeName"),
        conditions=conditions,
        disrupted_at=_moment(disruption.get("lastTransitionTime")) if disrupted else None,
        disruption=_text(disruption.get("reason") or "Disrupted") if disrupted else "",
        disruption_message=disruption.get("message") or "" if disrupted else "",
        deleting_since=deleting_since,
        grace=metadata.get("deletionGracePeriodSeconds") or 0,
        terminal=status.get("phase") in _TERMINAL or never,
        message_limit=min(4096, 12288 // max(1, count)),
    )


def _phase(facts: PodFacts, spec: Mapping[str, Any], status: Mapping[str, Any]) -> PodPhase:
    final = spec.get("restartPolicy", "Never") == "Never"
    if facts.terminal or ("terminated" in facts.main_state and final):
        return PodPhase.ENDED
    if "running" in facts.main_state or "terminated" in facts.main_state:
        return PodPhase.RUNNING
    scheduled = facts.conditions.get("PodScheduled", {}).get("status") == "True"
    return PodPhase.STARTING if scheduled or spec.get("nodeName") else PodPhase.UNSCHEDULED


def _waiting(status: Mapping[str, Any], facts: PodFacts) -> tuple[str, str]:
    """Why the main container has not started, as the kubelet or the scheduler says it."""
    scheduled = facts.conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return _text(scheduled.get("reason") or "Unschedulable"), _text(scheduled.get("message") or "")
    found = ("", "")
    for one in (*(status.get("initContainerStatuses") or ()), *_main_status(status)):
        waiting = (one.get("state") or {}).get("waiting")
        if waiting is None:
            continue
        reason = _text(waiting.get("reason") or "")
        if reason not in _DULL:
            return reason, _text(waiting.get("message") or "")
        found = (found[0] or reason, "")
    ready = facts.conditions.get("PodReadyToStartContainers", {}).get("status")
    if found[0] and ready == "False":
        return found[0], "the pod's volumes or its network are not ready"
    return found


def _main_status(status: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [one for one in status.get("containerStatuses") or () if one["name"] == MAIN_CONTAINER]


def _node_lost(facts: PodFacts, status: Mapping[str, Any]) -> bool:
    """The node controller has given its node up. It marks the pods of such a node not ready and gives no reason,
    which no kubelet does."""
    if facts.terminal or facts.node is None:
        return False
    if facts.phase == "Unknown" or facts.reason == "NodeLost" or facts.disruption == "DeletionByTaintManager":
        return True
    ready = facts.conditions.get("Ready", {})
    if ready.get("status") == "Unknown":
        return True
    silent = ready.get("status") == "False" and not ready.get("reason")
    return silent and facts.conditions.get("ContainersReady", {}).get("status") == "True"


def _finished_at(facts: PodFacts, status: Mapping[str, Any]) -> datetime | None:
    terminated = facts.main_state.get("terminated") or {}
    if (finished := _moment(terminated.get("finishedAt"))) is not None:
        return finished
    ready = facts.conditions.get("Ready", {}).get("lastTransitionTime")
    return _moment(ready) or facts.disrupted_at or facts.deleting_since


def _deleting_since(metadata: Mapping[str, Any]) -> datetime | None:
    due = metadata.get("deletionTimestamp")
    if due is None:
        return None
    return parse_time(due) - timedelta(seconds=metadata.get("deletionGracePeriodSeconds") or 0)


def _owner(metadata: Mapping[str, Any], labels: Mapping[str, Any]) -> tuple[str, str]:
    """The run's name and UID: the owner reference is the word of whoever made the pod, labels are changed by many."""
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("kind") == "WorkflowRun" and owner.get("controller"):
            return _text(owner["name"]), _text(owner["uid"])
    if LABEL_RUN_UID in labels:
        return _text(labels[LABEL_RUN]), _text(labels[LABEL_RUN_UID])
    raise ValueError("no WorkflowRun owns it")


def _attempt(label: Any) -> int:
    attempt = int(label)
    if attempt < 1:
        raise ValueError(f"attempt {attempt} is below 1")
    return attempt


def _index(label: Any) -> int | None:
    if label is None:
        return None
    index = int(label)
    if index < 0:
        raise ValueError(f"index {index} is below 0")
    return index


def _others_go_on(spec: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
    """Whether a plain container beside the main one has not ended. Native sidecars are the kubelet's to end."""
    statuses = status.get("containerStatuses") or ()
    ended = {one["name"] for one in statuses if "terminated" in (one.get("state") or {})}
    return any(one["name"] not in ended and one["name"] != MAIN_CONTAINER for one in spec.get("containers") or ())


def _named(containers: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    return next((one for one in containers if one["name"] == name), {})


def _moment(text: Any) -> datetime | None:
    """A time of a status; the zero time that runtimes write for "never" is none."""
    moment = parse_time(text) if text else None
    return moment if moment is not None and moment.year > 1 and moment.timestamp() > 0 else None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is no string")
    return value
