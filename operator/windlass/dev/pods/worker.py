"""One pod, from its placement to its end: what scheduler and kubelet do with it.

    placed ─▶ volumes ─▶ init containers, one by one ─▶ main containers, together ─▶ sidecars stopped ─▶ last status
                         └ sidecars start here and stay                 end(): deletion, deadline ─┘

Whatever ends the pod early only raises `_ending` and signals the processes; the way to the last status is the same.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from windlass.dev.pods.claims import Claims
from windlass.dev.pods.container import Container, Machine, PodHome, hostname_of, refuse
from windlass.dev.pods.errors import ConfigMissing, ImageMissing, StartRefused, Unstartable, VolumeMissing
from windlass.dev.pods.objects import Objects
from windlass.dev.pods.scheduling import obstacle
from windlass.dev.pods.slots import Slot
from windlass.dev.pods.status import Ending, Role, phase_of, pod_status, states_of, unschedulable, waiting
from windlass.dev.pods.volumes import Volume, set_up
from windlass.engine.ports import Timer
from windlass.resources import PODS

Body = dict[str, Any]
DEADLINE_EXCEEDED: Final = Ending("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
FIRST_BACKOFF: Final = 10.0
LONGEST_BACKOFF: Final = 300.0
PULL_BACKOFF: Final = 1.0
"""Seconds from ErrImagePull to ImagePullBackOff."""


class PodWorker:
    """Runs one pod. `run` returns when nothing of it runs any more and its last status is stored."""

    def __init__(self, pod: Body, objects: Objects, claims: Claims, home: PodHome, machine: Machine) -> None:
        self.pod = pod
        self.home = home
        self.started: datetime | None = None
        self.claimed: set[Path] = set()
        """The directories of claims that the pod uses."""
        self._objects = objects
        self._claims = claims
        self._machine = machine
        self._clock = machine.clock
        self._lookup = objects.lookup(pod["metadata"]["namespace"])
        self._states = states_of(pod)
        specs = [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]
        self.containers = [
            Container(pod, spec, state, home, machine) for spec, state in zip(specs, self._states, strict=True)
        ]
        self._volumes: dict[str, Volume] = {}
        self._ending = False
        self._why: Ending | None = None
        self.abandoned = False
        self._deadline: Timer | None = None
        self._kill: Timer | None = None
        self._kill_at = math.inf
        self._slot: Slot | None = None
        self._waiters: set[asyncio.Event] = set()
        self._sidecars: dict[str, asyncio.Task[None]] = {}
        self._policy = pod["spec"].get("restartPolicy", "Always")

    # What others tell the worker

    def update(self, pod: Body) -> None:
        """There is a newer version of the pod."""
        self.pod = pod
        if pod["metadata"].get("deletionTimestamp"):
            self.end(float(pod["metadata"].get("deletionGracePeriodSeconds") or 0))
        elif self.started is not None:
            self._set_deadline()

    def end(self, grace: float, why: Ending | None = None) -> None:
        """Stop everything: asked first, killed after `grace` seconds. Asked again, the shorter grace counts."""
        if not self._ending:
            self._ending = True
            self._why = why
            for one in self.containers:
                if one.state.role is not Role.SIDECAR:
                    one.terminate()
        kill_at = self._clock.monotonic() + grace
        if kill_at < self._kill_at:
            self._kill_at = kill_at
            if self._kill is not None:
                self._kill.cancel()
            self._kill = self._clock.call_at(kill_at, self.kill)
        self.nudge()

    def abandon(self, grace: float) -> None:
        """Stop everything as a node that goes down: nothing is written, the next start finds the pod lost."""
        self.abandoned = True
        self.end(grace)

    def kill(self) -> None:
        for one in self.containers:
            one.kill()

    def nudge(self) -> None:
        """Something that a waiting container may need has changed."""
        for waiter in self._waiters:
            waiter.set()

    # The pod's life

    async def run(self) -> None:
        try:
            if await self._placed() and await self._admitted():
                self._make_home()
                self.started = self._clock.now()
                self._set_deadline()
                if await self._with_volumes() and await self._initialized():
                    await self._run_mains()
                await self._stop_sidecars()
                self._write(final=True)
        finally:
            for timer in (self._deadline, self._kill):
                if timer is not None:
                    timer.cancel()
            if self._slot is not None:
                self._machine.slots.give_back(self._slot)

    async def _placed(self) -> bool:
        """Wait until the pod fits on the node. A pod that was not placed is the API server's own to delete."""
        said = None
        while not self._ending:
            why = obstacle(self.pod, self._claim_path)
            if why is None:
                return True
            if why != said:
                said = why
                self._objects.report(self.pod, "FailedScheduling", why, self._clock.now())
                self._write_unschedulable(why)
            await self._wait()
        return False

    async def _admitted(self) -> bool:
        """Wait until the node has a place for one more pod."""
        self._slot = self._machine.slots.request()
        if not self._slot.done():
            self._write_unschedulable("0/1 nodes are available: 1 Too many pods.")
            self._slot.add_done_callback(lambda _: self.nudge())
        while not self._slot.done() and not self._ending:
            await self._wait()
        return not self._ending

    def _write_unschedulable(self, why: str) -> None:
        latest = self._objects.same(PODS, self.pod)
        if latest is not None:
            self._objects.write(PODS, {**latest, "status": unschedulable(latest, why, self._clock.now())})

    def _make_home(self) -> None:
        self.home.make()
        aliases = "".join(
            f"{alias['ip']} {' '.join(alias.get('hostnames') or [])}\n"
            for alias in self.pod["spec"].get("hostAliases") or []
        )
        self.home.hosts.write_text(f"127.0.0.1 localhost {hostname_of(self.pod)}\n::1 localhost\n{aliases}")

    async def _with_volumes(self) -> bool:
        said = None
        while not self._ending:
            try:
                self._volumes = set_up(self.pod, self.home.volumes, self._lookup, self._claim_path)
            except (VolumeMissing, ConfigMissing) as error:
                if error.message != said:
                    said = error.message
                    self._objects.report(self.pod, "FailedMount", error.message, self._clock.now())
                    self._write()
                await self._wait()
            else:
                return True
        return False

    async def _initialized(self) -> bool:
        """Run the init containers in their order, each until it succeeds; False when one failed for good."""
        for one in self.containers:
            if one.state.role is Role.MAIN:
                break
            if not await self._start(one):
                return False
            self._write()
            if one.state.role is Role.SIDECAR:
                self._sidecars[one.state.name] = asyncio.create_task(self._keep(one))
                continue
            await one.ended()
            while one.state.exit_code and self._policy != "Never" and not self._ending:
                self._write()
                if not await self._restart(one):
                    return False
                self._write()
                await one.ended()
            if one.state.exit_code:
                return False
        return not self._ending

    async def _run_mains(self) -> None:
        mains = [one for one in self.containers if one.state.role is Role.MAIN]
        refused = [one for one in mains if not self._try_start(one)]
        self._write()
        if len(mains) == 1 and not refused:
            await self._follow(mains[0], started=True)
        else:
            await asyncio.gather(*(self._follow(one, started=one not in refused) for one in mains))

    async def _follow(self, one: Container, started: bool) -> None:
        """Stay with a main container until it has ended for good."""
        if not started:
            if not await self._start(one):
                return
            self._write()
        while True:
            await one.ended()
            if self._ending or not self._again(one):
                if self._sidecars or any(other.state.running for other in self.containers):
                    self._write()
                return
            self._write()
            if not await self._restart(one):
                return
            self._write()

    def _again(self, one: Container) -> bool:
        return self._policy == "Always" or (self._policy == "OnFailure" and bool(one.state.exit_code))

    async def _keep(self, sidecar: Container) -> None:
        """Start a sidecar again whenever it ends by itself."""
        while True:
            await sidecar.ended()
            if self._ending or not await self._restart(sidecar):
                return
            self._write()

    async def _stop_sidecars(self) -> None:
        """Stop the sidecars, the last one first, within the pod's grace period."""
        if not self._sidecars:
            return
        if not self._ending:
            self.end(float(self.pod["spec"].get("terminationGracePeriodSeconds", 30)))
        for one in reversed(self.containers):
            task = self._sidecars.get(one.state.name)
            if task is not None:
                one.terminate()
                await task

    # Starting

    async def _start(self, one: Container) -> bool:
        """Start a container, as soon as it can be; False when the pod ends before."""
        while not self._ending:
            if self._try_start(one):
                return True
            self._write()
            if (one.state.waiting or {}).get("reason") == "ErrImagePull":
                await self._pause(PULL_BACKOFF)
                if not self._ending:
                    image = one.state.image
                    one.state.state = waiting("ImagePullBackOff", f'Back-off pulling image "{image}"')
                    self._write()
            await self._wait()
        return False

    def _try_start(self, one: Container) -> bool:
        if self._ending:
            return False
        try:
            one.start(self._volumes, self._lookup)
        except StartRefused as refused:
            if isinstance(refused, ImageMissing | Unstartable) and one.state.waiting:
                backing_off = one.state.waiting["reason"] in {"ImagePullBackOff", refused.reason}
            else:
                backing_off = False
            if not backing_off:
                refuse(one.state, refused)
            words = "Failed to pull image" if isinstance(refused, ImageMissing) else "Error"
            self._objects.report(self.pod, "Failed", f"{words}: {refused.message}", self._clock.now())
            return False
        return True

    async def _restart(self, one: Container) -> bool:
        """Start an ended container again after its backoff."""
        ended = one.state.state
        one.state.last_state = ended
        delay = min(FIRST_BACKOFF * 2**one.state.restarts, LONGEST_BACKOFF)
        name, meta = one.state.name, self.pod["metadata"]
        pod = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
        said = f"back-off {delay:.0f}s restarting failed container={name} pod={pod}"
        one.state.state = waiting("CrashLoopBackOff", said)
        self._write()
        await self._pause(delay)
        if self._ending:
            one.state.state = ended
            return False
        one.state.restarts += 1
        return await self._start(one)

    # Waiting and writing

    async def _wait(self, seconds: float | None = None) -> None:
        """Until something changed, or that much time has passed."""
        event = asyncio.Event()
        self._waiters.add(event)
        timer = self._clock.call_at(self._clock.monotonic() + seconds, event.set) if seconds is not None else None
        try:
            await event.wait()
        finally:
            self._waiters.discard(event)
            if timer is not None:
                timer.cancel()

    async def _pause(self, seconds: float) -> None:
        """That much time, unless the pod ends before."""
        until = self._clock.monotonic() + seconds
        while not self._ending and (left := until - self._clock.monotonic()) > 0:
            await self._wait(left)

    def _set_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if seconds is None or self.started is None or self._ending:
            return
        left = seconds - (self._clock.now() - self.started).total_seconds()
        grace = float(self.pod["spec"].get("terminationGracePeriodSeconds", 30))
        stop: Callable[[], None] = lambda: self.end(grace, DEADLINE_EXCEEDED)  # noqa: E731
        self._deadline = self._clock.call_at(self._clock.monotonic() + max(left, 0), stop)

    def _write(self, *, final: bool = False) -> None:
        """Store the status as it is now."""
        latest = self._objects.same(PODS, self.pod)
        if latest is None or self.started is None or self.abandoned:
            return
        phase = phase_of(self._states, self._policy)
        if final and phase not in {"Succeeded", "Failed"}:
            codes = [one.exit_code for one in self._states if one.role is Role.MAIN]
            phase = "Succeeded" if codes and not any(code is None or code for code in codes) else "Failed"
        elif not final and phase in {"Succeeded", "Failed"}:
            phase = "Running" if any(one.running for one in self._states) else phase
        ending = self._why if final else None
        if ending:
            phase = "Failed"
        status = pod_status(latest, self._states, phase, self.started, self._clock.now(), ending)
        self._objects.write_status(latest, status)

    def _claim_path(self, name: str) -> Path | None:
        path = self._claims.path_of(self.pod["metadata"]["namespace"], name)
        if path is not None:
            self.claimed.add(path)
        return path


def was_started(pod: Body) -> bool:
    """Did a container of this pod ever run?"""
    status = pod.get("status") or {}
    all_statuses = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return any("waiting" not in one["state"] or one.get("lastState") for one in all_statuses)
