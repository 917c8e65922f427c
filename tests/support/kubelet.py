"""A kubelet that only pretends: pods start and end as a script says, on the virtual clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from support.clock import VirtualClock
from windlass import names
from windlass.dev.api.store import Store
from windlass.errors import Conflict, NotFound
from windlass.models.common import format_time
from windlass.resources import PODS

Body = dict[str, Any]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Play:
    """How one attempt goes."""

    seconds: float = 1.0
    """From its start to its end; infinite: until it is ended from outside."""
    exit_code: int = 0
    message: str = ""
    """The termination message."""
    reason: str = ""
    """Of the container's end: OOMKilled; by default Completed or Error."""
    starts: bool = True
    """False: it never gets a node."""


Script = Callable[[str, int], Play]
"""Task (`task[7]` for an instance of a forEach) and attempt (from 1) to how it goes."""


def outputs(**values: Any) -> Play:
    return Play(message=json.dumps(values))


def script_of(plays: Mapping[str, Play | list[Play]], default: Play | None = None) -> Script:
    """Each task's plays by attempt; the last one is repeated. An instance may have plays of its own: `task[7]`."""

    def play(task: str, attempt: int) -> Play:
        if task == names.SOURCE_STEP and task not in plays:
            return outputs(commit=COMMIT)
        found = plays.get(task, plays.get(task.partition("[")[0], default or Play()))
        return found if isinstance(found, Play) else found[min(attempt, len(found)) - 1]

    return play


@dataclass
class Kubelet:
    """Plays the pods of a store."""

    store: Store
    clock: VirtualClock
    script: Script
    start_delay: float = 0.5
    clock_off: timedelta = timedelta(0)
    """How far the node's clock is ahead of all others."""
    launched: list[tuple[str, str, int]] = field(default_factory=list)
    """Run UID, task, attempt of each pod object that was made."""
    _known: set[str] = field(default_factory=set)
    _running: set[str] = field(default_factory=set)
    _live: set[str] = field(default_factory=set)
    most_running: int = 0
    most_live: int = 0
    """The most pod objects at a time that had not ended."""
    on_end: Callable[[str, str], None] = lambda namespace, name: None
    """Called at the instant at which a pod has ended."""
    stopped: bool = False

    async def run(self) -> None:
        async for kind, pod in self.store.watch(PODS):
            self._count(kind, pod)
            if kind == "DELETED":
                self._running.discard(pod["metadata"]["uid"])
            elif pod["metadata"]["uid"] not in self._known:
                self._meet(pod)
            else:
                self._changed(pod)

    def _count(self, kind: str, pod: Body) -> None:
        over = kind == "DELETED" or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        over = over or ("deletionTimestamp" in pod["metadata"] and "nodeName" not in pod["spec"])
        (self._live.discard if over else self._live.add)(pod["metadata"]["uid"])
        self.most_live = max(self.most_live, len(self._live))

    def _meet(self, pod: Body) -> None:
        meta = pod["metadata"]
        self._known.add(meta["uid"])
        task, attempt = meta["labels"][names.LABEL_TASK], int(meta["labels"][names.LABEL_ATTEMPT])
        if (index := meta["labels"].get(names.LABEL_INDEX)) is not None:
            task = f"{task}[{index}]"
        self.launched.append((meta["ownerReferences"][0]["uid"], task, attempt))
        play = self.script(task, attempt)
        if play.starts:
            self._later(self.start_delay, lambda: self._start(pod, play))

    def _start(self, pod: Body, play: Play) -> None:
        current = self._read(pod)
        if current is None or "deletionTimestamp" in current["metadata"]:
            return  # the scheduler passes it over
        if self._changing(pod, {"spec": {"nodeName": "node-1"}}, "binding") is None:
            return
        if not self._status(pod, {"phase": "Running", **self._container({"running": {"startedAt": self._now()}})}):
            return
        self._running.add(pod["metadata"]["uid"])
        self.most_running = max(self.most_running, len(self._running))
        if play.seconds != float("inf"):
            self._later(play.seconds, lambda: self._end(pod, play.exit_code, play.reason, play.message))

    def _changed(self, pod: Body) -> None:
        meta, spec = pod["metadata"], pod["spec"]
        ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if ended and meta.get("deletionGracePeriodSeconds"):
            self._later(0.2, lambda: self._quietly(lambda: self.store.delete(PODS, *_place(pod), grace=0)))
        if meta["uid"] not in self._running:
            return
        if meta.get("deletionTimestamp"):
            self._running.discard(meta["uid"])
            self._later(0.2, lambda: self._killed(pod, 143, {}))
        elif spec.get("activeDeadlineSeconds") == 1:
            self._running.discard(meta["uid"])
            self._later(0.2, lambda: self._killed(pod, 137, {"reason": "DeadlineExceeded", "message": "too long"}))

    def _killed(self, pod: Body, code: int, status: Body) -> None:
        self._end(pod, code, "Error", "", status)
        if not status:
            self._quietly(lambda: self.store.delete(PODS, *_place(pod), grace=0, uid=pod["metadata"]["uid"]))

    def _end(self, pod: Body, code: int, reason: str, message: str, status: Body | None = None) -> None:
        self._running.discard(pod["metadata"]["uid"])
        ended = {
            "exitCode": code,
            "reason": reason or ("Error" if code else "Completed"),
            "message": message,
            "startedAt": format_time(self.clock.now() + self.clock_off - timedelta(seconds=1)),
            "finishedAt": self._now(),
        }
        current = self._read(pod)
        if current is None or (current.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return
        phase = "Failed" if code else "Succeeded"
        others = [one["name"] for one in pod["spec"]["containers"] if one["name"] != names.MAIN_CONTAINER]
        if others and not status:
            # The pod goes on until what stands beside the task has ended too.
            self._running.add(pod["metadata"]["uid"])
            self._status(pod, self._container({"terminated": ended}, {name: {"running": {}} for name in others}))
            return
        if others and (main := _main_state(current)).get("terminated"):
            ended = main["terminated"]
        if self._status(pod, {"phase": phase, **self._container({"terminated": ended}), **(status or {})}):
            self.on_end(*_place(pod))

    def _container(self, state: Body, others: Mapping[str, Body] | None = None) -> Body:
        states = {names.MAIN_CONTAINER: state, **(others or {})}
        return {"containerStatuses": [{"name": name, "state": one, "restartCount": 0} for name, one in states.items()]}

    def _status(self, pod: Body, status: Body) -> bool:
        return self._changing(pod, {"status": status}, "status") is not None

    def _changing(self, pod: Body, patch: Body, subresource: str | None) -> Body | None:
        patch = {"metadata": {"uid": pod["metadata"]["uid"]}, **patch}
        return self._quietly(lambda: self.store.patch(PODS, *_place(pod), patch, "merge", subresource))

    def _read(self, pod: Body) -> Body | None:
        return self._quietly(lambda: self.store.get(PODS, *_place(pod)))

    def _quietly(self, act: Callable[[], Body]) -> Body | None:
        try:
            return act()
        except (NotFound, Conflict):
            return None  # gone, or another pod of that name

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self.clock.call_at(self.clock.monotonic() + seconds, lambda: self.stopped or act())

    def _now(self) -> str:
        return format_time(self.clock.now() + self.clock_off)


def _main_state(pod: Body) -> Body:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((one["state"] for one in statuses if one["name"] == names.MAIN_CONTAINER), {})


def _place(pod: Body) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]
