"""What the kubelet writes into a pod's status, as plain dicts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final

from windlass.dev.api.texts import timestamp
from windlass.dev.pods.node import ADDRESS

Body = dict[str, Any]
MESSAGE_LIMIT: Final = 4096
POD_MESSAGE_LIMIT: Final = 12288
_OWN_CONDITIONS: Final = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


class Role(Enum):
    """What a container is in its pod."""

    INIT = auto()
    SIDECAR = auto()
    MAIN = auto()


@dataclass(slots=True)
class ContainerState:
    """One container as its status tells it."""

    name: str
    image: str
    role: Role
    state: Body = field(default_factory=dict)
    last_state: Body = field(default_factory=dict)
    restarts: int = 0
    container_id: str = ""

    @property
    def waiting(self) -> Body | None:
        return self.state.get("waiting")

    @property
    def running(self) -> bool:
        return "running" in self.state

    @property
    def exit_code(self) -> int | None:
        """None while it has not ended."""
        ended = self.state.get("terminated")
        return ended["exitCode"] if ended else None

    @property
    def ready(self) -> bool:
        return self.exit_code == 0 if self.role is Role.INIT else self.running

    @property
    def initialized(self) -> bool:
        return self.running or self.exit_code is not None if self.role is Role.SIDECAR else self.exit_code == 0


def states_of(pod: Body) -> list[ContainerState]:
    """All containers of a new pod, in the order in which they start."""
    spec = pod["spec"]
    inits = [
        ContainerState(one["name"], one["image"], Role.SIDECAR if one.get("restartPolicy") == "Always" else Role.INIT)
        for one in spec.get("initContainers") or []
    ]
    mains = [ContainerState(one["name"], one["image"], Role.MAIN) for one in spec["containers"]]
    reason = "PodInitializing" if inits else "ContainerCreating"
    for one in (*inits, *mains):
        one.state = {"waiting": {"reason": reason}}
    return [*inits, *mains]


def running(now: datetime) -> Body:
    return {"running": {"startedAt": timestamp(now)}}


def waiting(reason: str, message: str = "") -> Body:
    return {"waiting": {"reason": reason, "message": message} if message else {"reason": reason}}


def terminated(code: int, started: str, now: datetime, message: str, container_id: str) -> Body:
    """The end of a container's program."""
    body: Body = {
        "exitCode": code,
        "reason": "Error" if code else "Completed",
        "startedAt": started,
        "finishedAt": timestamp(now),
        "containerID": container_id,
    }
    if message:
        body["message"] = message
    return {"terminated": body}


def not_started(reason: str, message: str, now: datetime, container_id: str) -> Body:
    """The end of a container whose program could not be started."""
    body = {
        "exitCode": 128,
        "reason": reason,
        "message": message,
        "startedAt": "1970-01-01T00:00:00Z",
        "finishedAt": timestamp(now),
        "containerID": container_id,
    }
    return {"terminated": body}


def final_message(data: bytes, containers: int) -> str:
    """A termination message file as the status holds it: its end, and of that what the pod's budget lets through."""
    cut = data[-MESSAGE_LIMIT:][: POD_MESSAGE_LIMIT // max(containers, 1)]
    return cut.decode(errors="replace")


def phase_of(states: Sequence[ContainerState], restart_policy: str) -> str:
    """The phase of a pod that nobody ends."""
    inits = [one for one in states if one.role is Role.INIT]
    mains = [one for one in states if one.role is Role.MAIN]
    if any(one.exit_code for one in inits) and restart_policy == "Never":
        return "Failed"
    if not all(one.initialized for one in states if one.role is not Role.MAIN):
        return "Pending"
    if any(one.waiting and not one.last_state for one in mains):
        return "Pending"
    codes = [one.exit_code for one in mains]
    if None in codes or restart_policy == "Always":
        return "Running"
    if not any(codes):
        return "Succeeded"
    return "Failed" if restart_policy == "Never" else "Running"


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the kubelet ended a pod; its reason and message are those of the status."""

    reason: str
    message: str


def pod_status(
    pod: Body,
    states: Sequence[ContainerState],
    phase: str,
    started: datetime,
    now: datetime,
    ending: Ending | None = None,
) -> Body:
    """The whole status; what others wrote into the old one is kept."""
    status = dict(pod.get("status") or {})
    status |= {
        "phase": phase,
        "conditions": _conditions(status.get("conditions") or [], states, phase, now),
        "hostIP": ADDRESS,
        "hostIPs": [{"ip": ADDRESS}],
        "podIP": ADDRESS,
        "podIPs": [{"ip": ADDRESS}],
        "startTime": timestamp(started),
        "containerStatuses": [_container(one) for one in states if one.role is Role.MAIN],
    }
    inits = [_container(one) for one in states if one.role is not Role.MAIN]
    if inits:
        status["initContainerStatuses"] = inits
    if ending:
        status |= {"reason": ending.reason, "message": ending.message}
    return status


def unschedulable(pod: Body, message: str, now: datetime) -> Body:
    """The status of a pod that the scheduler can't place."""
    status = dict(pod.get("status") or {})
    said = _condition("PodScheduled", False, "Unschedulable", message)
    return status | {"phase": "Pending", "conditions": _merged(status.get("conditions") or [], [said], now)}


def disrupted(pod: Body, now: datetime) -> Body:
    """The status of a pod that went down with its node."""
    status = dict(pod.get("status") or {})
    message = "Pod was terminated in response to imminent node shutdown."
    target = _condition("DisruptionTarget", True, "TerminationByKubelet", message)
    ready = [_condition(kind, False, "PodFailed") for kind in ("Ready", "ContainersReady")]
    status |= {
        "phase": "Failed",
        "reason": "Terminated",
        "message": message,
        "conditions": _merged(status.get("conditions") or [], [*ready, target], now),
    }
    for part in ("containerStatuses", "initContainerStatuses"):
        if part in status:
            status[part] = [_lost(one, now) for one in status[part]]
    return status


def broken(pod: Body, error: Exception) -> Body:
    """The status of a pod that this program failed to run: a fault of ours, or of the machine."""
    said = f"the development cluster failed to run this pod: {type(error).__name__}: {error}"
    return {**(pod.get("status") or {}), "phase": "Failed", "reason": "UnexpectedError", "message": said}


def _lost(container: Body, now: datetime) -> Body:
    if "running" not in container["state"]:
        return container
    ended = {
        "exitCode": 137,
        "reason": "ContainerStatusUnknown",
        "message": "The container could not be located when the pod was terminated",
        "startedAt": container["state"]["running"]["startedAt"],
        "finishedAt": timestamp(now),
    }
    return container | {"state": {"terminated": ended}, "ready": False, "started": False}


def _container(one: ContainerState) -> Body:
    return {
        "name": one.name,
        "image": one.image,
        "imageID": f"local://{one.image}",
        **({"containerID": one.container_id} if one.container_id else {}),
        "state": one.state,
        "lastState": one.last_state,
        "ready": one.ready,
        "started": one.running,
        "restartCount": one.restarts,
    }


def _conditions(old: list[Body], states: Sequence[ContainerState], phase: str, now: datetime) -> list[Body]:
    done = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase)
    unready = _names(one for one in states if one.role is not Role.INIT and not one.ready)
    if done or unready:
        reason = done or "ContainersNotReady"
        message = "" if done else f"containers with unready status: [{unready}]"
        ready = [_condition(kind, False, reason, message) for kind in ("Ready", "ContainersReady")]
    else:
        ready = [_condition(kind, True) for kind in ("Ready", "ContainersReady")]
    incomplete = _names(one for one in states if one.role is not Role.MAIN and not one.initialized)
    if incomplete:
        text = f"containers with incomplete status: [{incomplete}]"
        initialized = _condition("Initialized", False, "ContainersNotInitialized", text)
    else:
        initialized = _condition("Initialized", True, "PodCompleted" if phase == "Succeeded" else "")
    sandbox = _condition("PodReadyToStartContainers", done is None)
    return _merged(old, [sandbox, initialized, *ready, _condition("PodScheduled", True)], now)


def _names(states: Iterable[ContainerState]) -> str:
    return " ".join(one.name for one in states)


def _condition(kind: str, holds: bool, reason: str = "", message: str = "") -> Body:
    said = {"type": kind, "status": "True" if holds else "False", "reason": reason, "message": message}
    return {key: value for key, value in said.items() if value}


def _merged(old: list[Body], new: list[Body], now: datetime) -> list[Body]:
    """`new`, each with the time since when it holds, and those of `old` that others wrote."""
    before = {one["type"]: one for one in old}
    said = {one["type"] for one in new}
    merged = []
    for one in new:
        same = before.get(one["type"])
        since = same.get("lastTransitionTime") if same and same["status"] == one["status"] else None
        merged.append({**one, "lastProbeTime": None, "lastTransitionTime": since or timestamp(now)})
    return merged + [one for one in old if one["type"] not in said]
