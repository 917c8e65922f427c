"""The row of a pod in `kubectl get pods`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from windlass.dev.api.ages import age
from windlass.dev.api.hub import Body


def pod_cells(body: Body, now: datetime) -> list[Any]:
    """NAME, READY, STATUS, RESTARTS, AGE and the wide columns."""
    meta, spec, status = body["metadata"], body["spec"], body.get("status") or {}
    sidecars = {one["name"] for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"}
    inits = [one for one in status.get("initContainerStatuses") or () if one["name"] in sidecars]
    states = [*inits, *(status.get("containerStatuses") or ())]
    ready = sum(1 for one in states if one.get("ready"))
    total = len(spec.get("containers") or ()) + len(sidecars)
    return [
        meta["name"], f"{ready}/{total}", reason(body), _restarts(states, now),
        age(meta.get("creationTimestamp"), now), status.get("podIP") or "<none>", spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>", "<none>",
    ]  # fmt: skip


def _restarts(states: list[Body], now: datetime) -> str:
    count = sum(one.get("restartCount", 0) for one in states)
    ends = [
        ended["finishedAt"] for one in states if (ended := (one.get("lastState") or {}).get("terminated"))
        if ended.get("finishedAt")
    ]  # fmt: skip
    return f"{count} ({age(max(ends), now)} ago)" if count and ends else str(count)


def reason(body: Body) -> str:
    """The word in the STATUS column: the phase, or what says more."""
    status: Mapping[str, Any] = body.get("status") or {}
    shown = status.get("reason") or status.get("phase") or ""
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            shown = "SchedulingGated"
    init = _init_reason(body, status)
    if init is not None:
        shown = init
    else:
        running = False
        for one in reversed(status.get("containerStatuses") or ()):
            waiting, ended = _state(one, "waiting"), _state(one, "terminated")
            if waiting.get("reason"):
                shown = waiting["reason"]
            elif ended:
                shown = ended.get("reason") or _exit(ended)
            elif one.get("ready") and _state(one, "running") is not None:
                running = True
        if shown == "Completed" and running:
            shown = "Running" if _is_ready(status) else "NotReady"
    if body["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return shown


def _state(one: Body, name: str) -> Body:
    return (one.get("state") or {}).get(name) or {}


def _exit(ended: Body) -> str:
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _is_ready(status: Mapping[str, Any]) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or ())


def _init_reason(body: Body, status: Mapping[str, Any]) -> str | None:
    """What the init containers say while they are not done."""
    specs = {one["name"]: one for one in body["spec"].get("initContainers") or ()}
    for index, one in enumerate(status.get("initContainerStatuses") or ()):
        ended, waiting = _state(one, "terminated"), _state(one, "waiting")
        sidecar = (specs.get(one["name"]) or {}).get("restartPolicy") == "Always"
        if (ended and ended.get("exitCode") == 0) or (sidecar and one.get("started")):
            continue
        if ended:
            return f"Init:{ended.get('reason') or _exit(ended)}"
        if waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{len(specs)}"
    return None
