"""How a pod ended, and whose fault it is: an ordered list of predicates, the first that holds decides.

OOMKilled → DeadlineExceeded → disrupted or deleted → rejected by its node → main never started
          → an init container failed → main's exit code → the pod's own reason
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from windlass.models.run import FailureClass
from windlass.names import SOURCE_CONTAINER
from windlass.plan.git_words import git_words
from windlass.plan.types import PodResult

_START_ERRORS: Final = ("StartError", "ContainerCannotRun", "CreateContainerError", "RunContainerError")
_NODE_REASONS: Final = {
    "Evicted": "Evicted",
    "NodeLost": "NodeLost",
    "NodeShutdown": "NodeShutdown",
    "Shutdown": "NodeShutdown",
    "Terminated": "NodeShutdown",
    "Preempting": "Preempted",
    "Preempted": "Preempted",
    "NodeAffinity": "NodeRejected",
    "OutOfcpu": "NodeRejected",
    "OutOfmemory": "NodeRejected",
    "OutOfpods": "NodeRejected",
    "UnexpectedAdmissionError": "NodeRejected",
}
_DISRUPTIONS: Final = {
    "PreemptionByScheduler": "Preempted",
    "DeletionByTaintManager": "NodeLost",
    "DeletionByPodGC": "NodeLost",
    "EvictionByEvictionAPI": "Evicted",
    "TerminationByKubelet": "Evicted",
}
_TOLD_TO_GO: Final = (128 + signal.SIGTERM, 128 + signal.SIGKILL)
"""Exit codes of programs that a deletion ended."""


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What of a pod decides how it ended."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    main_state: Mapping[str, Any] = field(default_factory=dict)
    init_statuses: Sequence[Mapping[str, Any]] = ()
    """Of init containers that run to their end: native sidecars left out."""
    main_spec: Mapping[str, Any] = field(default_factory=dict)
    pod_user: int | None = None
    node: str | None = None
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    disrupted_at: datetime | None = None
    disruption: str = ""
    """The reason of the condition DisruptionTarget, when it is true."""
    disruption_message: str = ""
    deleting_since: datetime | None = None
    grace: int = 0
    terminal: bool = False
    message_limit: int = 4096

    @property
    def terminated(self) -> Mapping[str, Any]:
        """The end of the main container; empty when it has none."""
        return self.main_state.get("terminated") or {}

    @property
    def detail(self) -> dict[str, Any]:
        """Facts for the hint."""
        limits = (self.main_spec.get("resources") or {}).get("limits") or {}
        own = (self.main_spec.get("securityContext") or {}).get("runAsUser")
        facts = {
            "image": self.main_spec.get("image"),
            "memoryLimit": limits.get("memory"),
            "user": own if own is not None else self.pod_user,
            "node": self.node,
        }
        return {name: value for name, value in facts.items() if value is not None}


def classify(facts: PodFacts) -> PodResult:
    """The result of a pod that has ended."""
    for predicate in _ORDER:
        if (result := predicate(facts)) is not None:
            return result
    return _otherwise(facts)


def _failed(facts: PodFacts, failure: FailureClass, reason: str, message: str = "", **more: Any) -> PodResult:
    code = more.pop("exitCode", facts.terminated.get("exitCode"))
    told = message or _said(facts)
    exit_code = code if isinstance(code, int) else None
    detail = {**facts.detail, **more, "message": told} | ({} if exit_code is None else {"exitCode": exit_code})
    return PodResult(failure, reason, exit_code, told, limit_bytes=facts.message_limit, detail=detail)


def _said(facts: PodFacts) -> str:
    """What the container left behind: its last log lines, when it wrote no termination message."""
    return str(facts.terminated.get("message") or "").strip() or facts.message


def _killed_for_memory(facts: PodFacts) -> PodResult | None:
    if facts.terminated.get("reason") == "OOMKilled":
        return _failed(facts, FailureClass.OOM, "OOMKilled")
    for one in facts.init_statuses:
        if ((one.get("state") or {}).get("terminated") or {}).get("reason") == "OOMKilled":
            text = f"the init container {one['name']} was killed for want of memory"
            return _failed(facts, FailureClass.OOM, "OOMKilled", text, container=one["name"])
    return None


def _past_its_deadline(facts: PodFacts) -> PodResult | None:
    if facts.reason != "DeadlineExceeded":
        return None
    return _failed(facts, FailureClass.TIMEOUT, "DeadlineExceeded", str(facts.terminated.get("message") or "").strip())


def _disturbed(facts: PodFacts) -> PodResult | None:
    """It was told to go before it had ended: then even exit code 0 says only that it obeyed."""
    if facts.disrupted_at is not None and not _ended_before(facts, facts.disrupted_at):
        reason = _NODE_REASONS.get(facts.reason) or _DISRUPTIONS.get(facts.disruption, "Disrupted")
        return _failed(facts, FailureClass.INFRA, reason, facts.message or facts.disruption_message)
    if facts.reason in _NODE_REASONS and facts.terminated.get("exitCode") != 0:
        return _failed(facts, FailureClass.INFRA, _NODE_REASONS[facts.reason], facts.message)
    if facts.deleting_since is not None and not _ended_before_deletion(facts):
        return _failed(facts, FailureClass.INFRA, "Deleted", "the pod was deleted before its task had ended")
    if facts.terminated.get("reason") == "ContainerStatusUnknown":
        return _failed(facts, FailureClass.INFRA, "NodeLost", "its node forgot the container")
    return None


def _ended_before(facts: PodFacts, moment: datetime) -> bool:
    finished = facts.terminated.get("finishedAt")
    return bool(finished) and datetime.fromisoformat(str(finished)) < moment


def _ended_before_deletion(facts: PodFacts) -> bool:
    """Times are whole seconds. Of a deletion in the very second of the end, only this is known: the API server takes
    the grace period from a pod that it knows to have ended. But so does the kubelet once its containers have ended,
    and a program that ended by a signal then did so because of the deletion."""
    since, finished = facts.deleting_since, facts.terminated.get("finishedAt")
    if since is None or not finished:
        return False
    ended = datetime.fromisoformat(str(finished))
    signalled = facts.terminated.get("exitCode") in _TOLD_TO_GO
    return ended < since or (ended == since and facts.grace == 0 and facts.terminal and not signalled)


def _never_started(facts: PodFacts) -> PodResult | None:
    reason = str(facts.terminated.get("reason") or "")
    return _failed(facts, FailureClass.START, reason) if reason in _START_ERRORS else None


def _init_failed(facts: PodFacts) -> PodResult | None:
    for one in facts.init_statuses:
        terminated = (one.get("state") or {}).get("terminated") or {}
        code = terminated.get("exitCode", 0)
        if code == 0 or facts.terminated:
            continue
        said, name = str(terminated.get("message") or "").strip(), str(one["name"])
        failure, reason = FailureClass.APP, "InitContainerFailed"
        text = f"the init container {name} ended with exit code {code}" + (f": {said}" if said else "")
        if terminated.get("reason") in _START_ERRORS:
            failure, reason = FailureClass.START, str(terminated["reason"])
            text = f"the init container {name} could not be started: {said}"
        elif name == SOURCE_CONTAINER:
            reason, text = "GitSyncFailed", git_words(said) or text
        return _failed(facts, failure, reason, text, container=name, exitCode=code)
    return None


def _by_exit_code(facts: PodFacts) -> PodResult | None:
    code = facts.terminated.get("exitCode")
    if code is None:
        return None
    if not isinstance(code, int):
        raise TypeError(f"exit code {code!r:.20} is no number")
    if code != 0:
        return _failed(facts, FailureClass.APP, str(facts.terminated.get("reason") or "Error"))
    message = str(facts.terminated.get("message") or "")
    truncated = len(message.encode(errors="replace")) >= facts.message_limit
    return PodResult(None, "Completed", 0, message, truncated, facts.message_limit, facts.detail)


def _otherwise(facts: PodFacts) -> PodResult:
    """A pod that is terminal and says nothing of its main container."""
    if facts.phase == "Succeeded":
        return PodResult(None, "Completed", None, limit_bytes=facts.message_limit, detail=facts.detail)
    return _failed(facts, FailureClass.INFRA, facts.reason or "PodFailed")


_ORDER: Final[Sequence[Callable[[PodFacts], PodResult | None]]] = (
    _killed_for_memory,
    _past_its_deadline,
    _disturbed,
    _never_started,
    _init_failed,
    _by_exit_code,
)
