"""Who gets the slots of the Pools: one serial place for each pool, which counts live pods and what it granted.

    plan ──wants──▶ waiting, in order ──enough is free──▶ granted ──the pod is seen──▶ live ──it ends──▶ free
                        └─ no such pool, or one that is too small: outside, until the pool is made or grows

Nothing is counted up and down, so nothing can leak: live pods bear what they take as labels, and what was granted is
what a run still wants. After a restart the pods are listed, and the runs that wait ask again.

The order is strict: who is first and asks for many slots is passed by nobody who asks for few, or it would wait for
ever. Ageing makes the order one that never changes while time passes: a priority is worth so many seconds of waiting,
so that those who wait stand by (when they came − priority × ageing), and the next is always the first of a sorted list.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from windlass.engine.keepers import ObjectKey
from windlass.engine.record import RunKey
from windlass.models.common import format_time, seconds
from windlass.models.pool import NEXT_SHOWN, PoolSpec, PoolStatus, PoolWaiter
from windlass.plan.task_types import PoolAnswer, PoolAnswerKind, PoolWant
from windlass.plan.types import PodPhase, PodView


@dataclass(frozen=True, slots=True)
class _Entry:
    """A pod that is wanted, and by which run."""

    run: RunKey
    want: PoolWant
    rank: tuple[float, float, str]
    """Its place among those who wait: the smallest is next."""


@dataclass(slots=True)
class _Pool:
    spec: PoolSpec | None = None
    """None: there is no such Pool."""
    live: dict[str, int] = field(default_factory=dict)
    granted: dict[str, _Entry] = field(default_factory=dict)
    waiting: list[_Entry] = field(default_factory=list)
    """By rank."""
    outside: dict[str, _Entry] = field(default_factory=dict)
    """Those for whom the pool is missing or too small."""

    @property
    def used(self) -> int:
        made = sum(entry.want.slots for pod, entry in self.granted.items() if pod not in self.live)
        return sum(self.live.values()) + made

    @property
    def empty(self) -> bool:
        return self.spec is None and not (self.live or self.granted or self.waiting or self.outside)


class Pools:
    """Answers which of the pods that runs want may be made.

    `wake` is called with a run whose answers have changed, `changed` with a pool whose figures have.
    """

    def __init__(self, wake: Callable[[RunKey], None], changed: Callable[[ObjectKey], None] = lambda key: None) -> None:
        self._wake = wake
        self._changed = changed
        self._pools: dict[ObjectKey, _Pool] = {}
        self._asked: dict[RunKey, dict[str, _Entry]] = {}

    def pool_seen(self, key: ObjectKey, spec: PoolSpec) -> None:
        """Take a Pool as it was read."""
        pool = self._pools.setdefault(key, _Pool())
        if pool.spec == spec:
            return
        pool.spec = spec
        self._stand_again(key, pool)

    def pool_gone(self, key: ObjectKey) -> None:
        """Take a Pool's deletion: its pods go on, nobody gets a slot any more."""
        pool = self._pools.get(key)
        if pool is None or pool.spec is None:
            return
        pool.spec = None
        self._stand_again(key, pool)
        if pool.empty:
            del self._pools[key]

    def pod_changed(self, old: PodView | None, new: PodView | None) -> None:
        """Take a pod's change: it may free slots, and so wake the runs that are next."""
        before, after = _takes(old), _takes(new)
        if new is not None and new.pool:
            self._seen(ObjectKey(new.namespace, new.pool), new, taken=after is not None)
        if before is not None and before != after and old is not None:
            pool = self._pools.get(before)
            if pool is not None and pool.live.pop(old.name, None) is not None:
                self._grant(before, pool)

    def answers(self, run: RunKey) -> dict[str, PoolAnswer]:
        """What is known for the pods that the run has asked for."""
        asked = self._asked.get(run, {})
        return {pod: self._answer(entry) for pod, entry in asked.items()}

    def ask(self, run: RunKey, wants: Iterable[PoolWant], keep: Iterable[str] = ()) -> Mapping[str, PoolAnswer]:
        """Ask for these pods, and for no others any more: the answers.

        What was granted to pods in `keep` stays: their creates may yet be carried out.
        """
        wanted = {want.pod: want for want in wants}
        kept = set(keep)
        asked = self._asked.get(run, {})
        for pod, entry in tuple(asked.items()):
            want = wanted.get(pod)
            if want is None and pod in kept and pod in self._of(entry).granted:
                continue
            if want is None or (entry.want != want and pod not in self._of(entry).granted):
                self._drop(entry)
        for pod, want in wanted.items():
            if pod not in self._asked.get(run, {}):
                self._enter(run, want)
        return self.answers(run)

    def made(self, run: RunKey, pod: str) -> None:
        """The create of a pod was answered: what it takes is counted by its labels once it is seen."""
        entry = self._asked.get(run, {}).get(pod)
        if entry is not None:
            self._drop(entry)

    def leave(self, run: RunKey) -> None:
        """The run is over: it wants nothing, and what it was granted is free."""
        for entry in tuple(self._asked.get(run, {}).values()):
            self._drop(entry)

    def status(self, key: ObjectKey) -> PoolStatus | None:
        """The figures of a Pool; None when there is none of this name."""
        pool = self._pools.get(key)
        if pool is None or pool.spec is None:
            return None
        used = pool.used
        return PoolStatus(
            used=used,
            free=max(0, pool.spec.slots - used),
            waiting=len(pool.waiting) + len(pool.outside),
            next=[_waiter(entry) for entry in pool.waiting[:NEXT_SHOWN]],
        )

    def __iter__(self) -> Iterator[ObjectKey]:
        return iter([key for key, pool in self._pools.items() if pool.spec is not None])

    def _of(self, entry: _Entry) -> _Pool:
        return self._pools[_key(entry)]

    def _answer(self, entry: _Entry) -> PoolAnswer:
        pool = self._of(entry)
        if entry.want.pod in pool.granted:
            return PoolAnswer(PoolAnswerKind.GRANTED)
        if pool.spec is None:
            return PoolAnswer(PoolAnswerKind.MISSING)
        if entry.want.pod in pool.outside:
            return PoolAnswer(PoolAnswerKind.TOO_SMALL, slots=pool.spec.slots)
        place = bisect_left(pool.waiting, entry.rank, key=lambda one: one.rank)
        return PoolAnswer(PoolAnswerKind.WAITS, place + 1, len(pool.waiting), pool.spec.slots)

    def _enter(self, run: RunKey, want: PoolWant) -> None:
        key = ObjectKey(run.namespace, want.pool)
        pool = self._pools.setdefault(key, _Pool())
        entry = _Entry(run, want, _rank(want, pool.spec))
        self._asked.setdefault(run, {})[want.pod] = entry
        if want.pod in pool.live:
            pool.granted[want.pod] = entry
            return
        if pool.spec is None or want.slots > pool.spec.slots:
            pool.outside[want.pod] = entry
        else:
            insort(pool.waiting, entry, key=lambda one: one.rank)
        self._grant(key, pool, asking=run)

    def _drop(self, entry: _Entry) -> None:
        key, pod = _key(entry), entry.want.pod
        pool = self._pools[key]
        asked = self._asked[entry.run]
        del asked[pod]
        if not asked:
            del self._asked[entry.run]
        if pool.granted.pop(pod, None) is None and pool.outside.pop(pod, None) is None:
            place = bisect_left(pool.waiting, entry.rank, key=lambda one: one.rank)
            del pool.waiting[place]
        if pool.empty:
            del self._pools[key]
        else:
            self._grant(key, pool)

    def _seen(self, key: ObjectKey, pod: PodView, *, taken: bool) -> None:
        pool = self._pools.setdefault(key, _Pool())
        if taken:
            pool.live[pod.name] = pod.slots
        entry = pool.granted.get(pod.name)
        if entry is not None:
            self._drop(entry)
        if pool.empty:
            self._pools.pop(key, None)

    def _grant(self, key: ObjectKey, pool: _Pool, asking: RunKey | None = None) -> None:
        """Give what is free to those who are next."""
        if pool.spec is not None and pool.waiting:
            free = pool.spec.slots - pool.used
            granted = 0
            while granted < len(pool.waiting) and pool.waiting[granted].want.slots <= free:
                entry = pool.waiting[granted]
                free -= entry.want.slots
                pool.granted[entry.want.pod] = entry
                granted += 1
                if entry.run != asking:
                    self._wake(entry.run)
            del pool.waiting[:granted]
        self._changed(key)

    def _stand_again(self, key: ObjectKey, pool: _Pool) -> None:
        """Have everybody who waits stand anew: the pool was made, has changed, or is gone."""
        entries = [*pool.waiting, *pool.outside.values()]
        pool.waiting, pool.outside = [], {}
        for entry in entries:
            entry = _Entry(entry.run, entry.want, _rank(entry.want, pool.spec))
            self._asked[entry.run][entry.want.pod] = entry
            if pool.spec is None or entry.want.slots > pool.spec.slots:
                pool.outside[entry.want.pod] = entry
            else:
                pool.waiting.append(entry)
            self._wake(entry.run)
        pool.waiting.sort(key=lambda one: one.rank)
        self._grant(key, pool)


def _key(entry: _Entry) -> ObjectKey:
    return ObjectKey(entry.run.namespace, entry.want.pool)


def _rank(want: PoolWant, spec: PoolSpec | None) -> tuple[float, float, str]:
    since = want.since.timestamp()
    ageing = seconds(spec.ageing) if spec is not None else 0.0
    return (since - want.priority * ageing, since, want.pod)


def _takes(pod: PodView | None) -> ObjectKey | None:
    if pod is None or not pod.pool or pod.phase is PodPhase.ENDED:
        return None
    return ObjectKey(pod.namespace, pod.pool)


def _waiter(entry: _Entry) -> PoolWaiter:
    want = entry.want
    return PoolWaiter(
        run=entry.run.name,
        task=want.task,
        pod=want.pod,
        slots=want.slots,
        priority=want.priority,
        since=format_time(want.since),
    )
