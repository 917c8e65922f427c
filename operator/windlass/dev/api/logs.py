"""The port to whoever keeps the logs of pods."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from windlass.dev.api.answers import bad_request
from windlass.dev.api.hub import Body
from windlass.dev.api.requests import flag, whole
from windlass.dev.api.texts import parsed_time


@dataclass(frozen=True, slots=True)
class LogRequest:
    """What is wanted of a container's log; all of it is the provider's to do."""

    namespace: str
    pod: str
    uid: str
    container: str
    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since_seconds: int | None = None
    since_time: datetime | None = None


class LogProvider(Protocol):
    """Who keeps the logs: pieces of a log, as they come. Raises windlass.errors before the first one."""

    def __call__(self, request: LogRequest) -> AsyncIterator[bytes]: ...


def log_request(pod: Body, query: Mapping[str, str]) -> LogRequest:
    """The request, if the pod has that container and it has something to say."""
    meta = pod["metadata"]
    container = _container(pod, query.get("container"))
    since = query.get("sinceTime")
    return LogRequest(
        meta["namespace"], meta["name"], meta["uid"], container,
        flag(query, "follow"), flag(query, "previous"), flag(query, "timestamps"),
        whole(query, "tailLines"), whole(query, "limitBytes"), whole(query, "sinceSeconds"),
        parsed_time(since) if since else None,
    )  # fmt: skip


def _container(pod: Body, asked: str | None) -> str:
    name, spec = pod["metadata"]["name"], pod["spec"]
    main = [one["name"] for one in spec["containers"]]
    inits = [one["name"] for one in spec.get("initContainers") or ()]
    if asked and asked not in main + inits:
        raise bad_request(f"container {asked} is not valid for pod {name}")
    if not asked and (len(main) > 1 or inits):
        shown = f"[{' '.join(main)}]"
        also = f" or one of the init containers: [{' '.join(inits)}]" if inits else ""
        if len(main) > 1:
            raise bad_request(f"a container name must be specified for pod {name}, choose one of: {shown}{also}")
    container = asked or main[0]
    status = pod.get("status") or {}
    states = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    state = next((one for one in states if one["name"] == container), None)
    waiting = ((state or {}).get("state") or {}).get("waiting")
    if state is None or (waiting and not (state.get("lastState") or {}).get("terminated")):
        if (status.get("phase")) in {"Succeeded", "Failed"} and state is None:
            return container
        if not spec.get("nodeName") and state is None:
            raise bad_request(f"pod {name} does not have a host assigned")
        reason = (waiting or {}).get("reason", "ContainerCreating")
        raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {reason}')
    return container
