"""Leadership by a coordination.k8s.io Lease: at most one holder acts.

    follower ──lease free, or not renewed for its duration──▶ leader ──renewed──▶ leader
                                                                │
                       taken by another, or not renewable in time: the end   (before the others may begin)

Who has led and leads no more does not stand again: what it knows is of a term that is over, and nothing of it may be
sent under the number of a new one. It begins anew, with nothing known.

How long a lease has not been renewed is measured on this machine's own clock, from the moment that its last change
was seen here, so clocks that differ do no harm. `is_leader` asks that clock too: a process that was frozen past its
lease, or slept with its machine, is no leader from its first instruction on, before any timer has fired.

A leader's term is the Lease's `leaseTransitions`, which grows each time that a process begins to lead: what carries an
older term was made by a process that leads no more. A term is no less than the minutes since 1970, so that it grows
even where the Lease is made anew, or comes out of a backup. API servers may know a Lease that is no more: one that is
the parameter of a policy stays in their cache when that policy goes, until they restart.

The numbers. A killed leader is followed after DURATION and a LOOK at most, that is 9 s, of which the standby's start
may take one more. A leader stops acting MARGIN before others may begin: what it has sent is then answered, or refused
by names and versions. It renews every RENEW, and tries again soon where that failed. A request without an answer may be
slow, or its connection may be dead: after ANSWER it asks once more, by another connection, and takes the answer that
comes first, as long as it has time left.

    renewed                  asked        asked beside it               stops        others may begin
       ├──────── RENEW ────────┼─── ANSWER ───┼──────────────────────────┤───── MARGIN ─────┤
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from windlass.errors import AlreadyExists, ApiError, Conflict, NotFound
from windlass.resources import LEASES, Resource

logger = logging.getLogger(__name__)
Body = dict[str, Any]

DURATION: Final = 8.0
"""Seconds after its last renewal at which others may take the lease."""
MARGIN: Final = 2.0
"""Seconds before that at which a holder that could not renew stops acting."""
RENEW: Final = 2.0
"""Seconds between two renewals."""
ANSWER: Final = 1.8
"""Seconds after which the one who asks asks beside it."""
AGAIN: Final = 0.4
"""Seconds before a renewal that failed is tried again."""
LOOK: Final = 1.0
"""Seconds between two looks at another's lease."""

LATEST_TERM: Final = 1 << 30
"""The last term that is made of a clock: what Kubernetes takes ends soon after it."""


def awake_clock() -> float:
    """Seconds of the machine, those that it slept included: others did not sleep."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class LeaseApi(Protocol):
    """The requests that leadership takes."""

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Body: ...

    async def create(self, resource: Resource, obj: Body) -> Body: ...

    async def replace(self, resource: Resource, obj: Body) -> Body: ...


class Leadership:
    """Stands for the lease `namespace/name` as `identity`, which no other process may have.

    `is_leader`, `holder` and `term` may be asked in any thread; the callbacks are called where `run` runs.
    """

    def __init__(
        self,
        api: LeaseApi,
        namespace: str,
        name: str,
        identity: str,
        *,
        on_started: Callable[[], None],
        on_stopped: Callable[[], None],
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = awake_clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self.identity = identity
        self._on_started = on_started
        self._on_stopped = on_stopped
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._chance = chance
        self._leading = False
        self._over = False
        self._valid_until = 0.0
        self._lease: Body | None = None
        self._fresh = False
        self._changed_at = 0.0
        self._failed = False
        self.term = 0
        """The number of the present leader's term, as far as is known; of this process's, while it leads."""

    @property
    def is_leader(self) -> bool:
        """Whether this process may act now."""
        return self._leading and self._monotonic() < self._valid_until

    @property
    def holder(self) -> str:
        """Who holds the lease, as far as is known; empty: nobody."""
        return (self._lease or {}).get("spec", {}).get("holderIdentity") or ""

    async def run(self) -> None:
        """Stand for the lease, and hold it, until it is lost. Cancelled, give it back when it is held."""
        try:
            while True:
                await self._look()
                if self._over:
                    return
                await self._sleep(self._wait())
        finally:
            held = self.is_leader
            self._stop("this process ends")
            if held:
                await self._release()

    def _wait(self) -> float:
        """Seconds to the next look: spread downwards, and no later than the lease is over."""
        every = (AGAIN if self._failed else RENEW) if self._leading else LOOK
        wait, now = every * (1 - 0.2 * self._chance()), self._monotonic()
        if self._leading:
            left = max(0.0, self._valid_until - now)
            # What was answered late is renewed sooner.
            return min(wait, left if self._failed else left / 3)
        left = self._expires_at() - now
        return min(wait, left) if self.holder and left > 0 else wait

    async def _look(self) -> None:
        """Take or renew the lease if that can be done, and stop leading if it is not."""
        began = self._monotonic()
        if self._leading and began >= self._valid_until:
            self._stop("it was not renewed in time")
            return
        # To take it needs two requests, and time must be left to renew it.
        within = self._valid_until - began if self._leading else 2 * ANSWER
        failed_before, self._failed = self._failed, False
        try:
            async with asyncio.timeout(within):
                mine, since = await self._ask()
        except (TimeoutError, ApiError) as error:
            # Whether the write was carried out is not known: look again before the next.
            self._fresh, self._failed = False, True
            why = str(error) or "no answer in time"
            if self._leading:
                logger.warning("the lease %s could not be renewed: %s", self._name, why)
            elif not failed_before:
                logger.warning("the lease %s can't be asked for, once a second from now on: %s", self._name, why)
            if self._leading and self._monotonic() >= self._valid_until:
                self._stop("it could not be renewed")
            return
        if mine:
            logger.debug("the lease %s was renewed in %.2f s", self._name, self._monotonic() - since)
            self._valid_until = since + DURATION - MARGIN
            self._start()
        else:
            self._stop(f"{self.holder or 'somebody else'} holds it")

    async def _ask(self) -> tuple[bool, float]:
        """Whether the lease is this process's, and when the request began whose answer says so."""
        asked = [asyncio.create_task(self._stand_since(self._monotonic()))]
        try:
            if self._leading:
                await asyncio.wait(asked, timeout=ANSWER)
                if not asked[0].done():
                    asked.append(asyncio.create_task(self._stand_since(self._monotonic())))
            await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            return next(one for one in asked if one.done()).result()
        finally:
            for one in asked:
                one.cancel()
                one.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # of no interest any more

    async def _stand_since(self, began: float) -> tuple[bool, float]:
        return await self._stand(), began

    async def _stand(self) -> bool:
        """One round: whether the lease is this process's after it."""
        if self._leading and self._fresh:
            try:
                return await self._write(self._claimed())
            except (Conflict, NotFound):
                self._fresh = False
        try:
            self._observe(await self._api.get(LEASES, self._namespace, self._name))
        except NotFound:
            return await self._make()
        if self.holder not in ("", self.identity) and self._monotonic() < self._expires_at():
            return False
        try:
            return await self._write(self._claimed())
        except (Conflict, NotFound):
            if self._leading:
                raise  # it may have been a request of its own
            return False

    async def _make(self) -> bool:
        metadata = {"namespace": self._namespace, "name": self._name}
        self._lease = {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata, "spec": {}}
        try:
            self._observe(await self._api.create(LEASES, self._claimed()))
        except AlreadyExists:
            return False
        return True

    async def _write(self, lease: Body) -> bool:
        self._fresh = False  # until the answer says what the lease has become, even if nobody waits for it any more
        self._observe(await self._api.replace(LEASES, lease))
        return True

    def _claimed(self) -> Body:
        """The lease as it is when this process holds it from now."""
        lease = self._lease or {}
        spec = dict(lease.get("spec") or {})
        now = _micro_time(self._now())
        if not self._leading:
            # Also where this identity held it before: what was sent in that term may still be under way.
            spec |= {"leaseTransitions": self._next_term(spec), "acquireTime": now}
        elif "acquireTime" not in spec:
            spec |= {"leaseTransitions": self.term, "acquireTime": now}
        spec |= {"holderIdentity": self.identity, "renewTime": now, "leaseDurationSeconds": int(DURATION)}
        return {**lease, "spec": spec}

    def _next_term(self, spec: Body) -> int:
        """More than any that was heard of, and more than those of leases that are no more."""
        minutes = int(self._now().timestamp()) // 60
        return max((spec.get("leaseTransitions") or 0) + 1, self.term + 1, min(minutes, LATEST_TERM))

    def _observe(self, lease: Body) -> None:
        before = (self._lease or {}).get("metadata", {}).get("resourceVersion")
        if before is None or before != lease["metadata"].get("resourceVersion"):
            self._changed_at = self._monotonic()
        self._lease, self._fresh = lease, True
        self.term = max(self.term, (lease.get("spec") or {}).get("leaseTransitions") or 0)

    def _expires_at(self) -> float:
        spec = (self._lease or {}).get("spec") or {}
        return self._changed_at + (spec.get("leaseDurationSeconds") or DURATION)

    def _start(self) -> None:
        if not self._leading:
            self._leading = True
            logger.info("%s leads: it holds the lease %s, term %d", self.identity, self._name, self.term)
            self._on_started()

    def _stop(self, why: str) -> None:
        if self._leading:
            self._leading, self._over = False, True
            logger.warning("%s leads no more: %s", self.identity, why)
            self._on_stopped()

    async def _release(self) -> None:
        """Let others take the lease at once, instead of after its duration."""
        try:
            async with asyncio.timeout(LOOK):
                if not self._fresh:
                    self._observe(await self._api.get(LEASES, self._namespace, self._name))
                if self.holder == self.identity:
                    lease = self._lease or {}
                    await self._write(
                        {**lease, "spec": {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}}
                    )
        except (TimeoutError, ApiError) as error:
            logger.warning("the lease %s was not given back: %s", self._name, str(error) or "no answer in time")


def _micro_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
