"""Pools in a simulation: who of those who want slots gets them.

As in a cluster the line is strict: by the moment at which a task became ready, less its priority times the pool's
ageing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from windlass.models.common import seconds
from windlass.models.pool import PoolSpec
from windlass.plan.task_types import PoolAnswer, PoolAnswerKind, PoolWant
from windlass.plan.types import PodPhase
from windlass.testing.work import RunInWork


@dataclass(frozen=True, slots=True)
class _Wish:
    run: RunInWork
    want: PoolWant


class Sharing:
    """The pools that were given. One that was not has room for all."""

    def __init__(self, pools: Mapping[str, PoolSpec]) -> None:
        self._pools = pools
        self._wishes: dict[str, _Wish] = {}
        """By pod."""
        self._granted: dict[str, _Wish] = {}
        """Of pods that are yet to be made."""

    @property
    def busy(self) -> bool:
        """Whether anybody wants anything."""
        return bool(self._wishes or self._granted)

    def answers(self, run: RunInWork) -> dict[str, PoolAnswer]:
        """What is known for the pods that the run has asked for."""
        found = {pod: PoolAnswer(PoolAnswerKind.GRANTED) for pod, wish in self._granted.items() if wish.run is run}
        for pod, wish in self._wishes.items():
            if wish.run is run:
                found[pod] = self._answer(wish.want)
        return found

    def ask(self, run: RunInWork, wants: Iterable[PoolWant]) -> None:
        """The run wants these pods, and no others any more."""
        wanted = {want.pod: want for want in wants}
        for book in (self._wishes, self._granted):
            for pod in [pod for pod, wish in book.items() if wish.run is run and pod not in wanted]:
                del book[pod]
        for pod, want in wanted.items():
            if pod not in self._granted:
                self._wishes[pod] = _Wish(run, want)

    def grant(self, runs: Iterable[RunInWork]) -> list[RunInWork]:
        """Give what is free to those who are next; their runs. `runs` are all whose pods may hold slots."""
        if not self.busy:
            return []
        used = dict.fromkeys(self._pools, 0)
        for run in runs:
            for pod in run.pods.values():
                if pod.pool in used and pod.phase is not PodPhase.ENDED:
                    used[pod.pool] += pod.slots
                    self._granted.pop(pod.name, None)
        for wish in self._granted.values():
            if wish.want.pool in used:
                used[wish.want.pool] += wish.want.slots
        wanted = dict.fromkeys(wish.want.pool for wish in self._wishes.values())
        given = [name for pool in wanted for name in self._next(pool, used)]
        self._granted |= {name: self._wishes.pop(name) for name in given}
        return list({self._granted[name].run.name: self._granted[name].run for name in given}.values())

    def _next(self, name: str, used: Mapping[str, int]) -> list[str]:
        """The pods in the line of a pool that may be made now."""
        line = [wish.want for wish in self._wishes.values() if wish.want.pool == name]
        pool = self._pools.get(name)
        if pool is None:
            return [want.pod for want in line]
        free, given = pool.slots - used[name], []
        for want in sorted((want for want in line if want.slots <= pool.slots), key=lambda one: _rank(one, pool)):
            if want.slots > free:
                break
            free -= want.slots
            given.append(want.pod)
        return given

    def _answer(self, want: PoolWant) -> PoolAnswer:
        pool = self._pools[want.pool]
        if want.slots > pool.slots:
            return PoolAnswer(PoolAnswerKind.TOO_SMALL, slots=pool.slots)
        line = [wish.want for wish in self._wishes.values() if wish.want.pool == want.pool]
        place = sum(_rank(other, pool) < _rank(want, pool) for other in line)
        return PoolAnswer(PoolAnswerKind.WAITS, place + 1, len(line), pool.slots)


def _rank(want: PoolWant, pool: PoolSpec) -> tuple[float, float, str]:
    since = want.since.timestamp()
    return (since - want.priority * seconds(pool.ageing), since, want.pod)
