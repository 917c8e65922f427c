"""Who gets a pool's slots, and in which order."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.engine.keepers import ObjectKey
from windlass.engine.pools import Pools
from windlass.engine.record import RunKey
from windlass.models.pool import PoolSpec, PoolStatus
from windlass.plan.task_types import PoolAnswer, PoolAnswerKind, PoolWant
from windlass.plan.types import PodPhase, PodView

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = ObjectKey("data", "db")
GRANTED = PoolAnswer(PoolAnswerKind.GRANTED)


def want(pod: str, slots: int = 1, priority: int = 0, minute: float = 0) -> PoolWant:
    return PoolWant("db", pod, f"task-{pod}", slots, priority, NOON + timedelta(minutes=minute))


def run(name: str) -> RunKey:
    return RunKey("data", name)


def pod(name: str, slots: int = 1, phase: PodPhase = PodPhase.RUNNING) -> PodView:
    return PodView(
        namespace="data",
        name=name,
        uid=f"uid-{name}",
        version=1,
        workflow="w",
        run="r",
        run_uid="u",
        task="t",
        attempt=1,
        phase=phase,
        created_at=NOON,
        pool="db",
        slots=slots,
    )


def waits(position: int, waiting: int, slots: int = 2) -> PoolAnswer:
    return PoolAnswer(PoolAnswerKind.WAITS, position, waiting, slots)


class Desk:
    """Pools, and who was woken."""

    def __init__(self, slots: int | None = 2, ageing: str = "10m") -> None:
        self.woken: list[str] = []
        self.pools = Pools(lambda key: self.woken.append(key.name))
        if slots is not None:
            self.resize(slots, ageing)

    def resize(self, slots: int, ageing: str = "10m") -> None:
        self.pools.pool_seen(KEY, PoolSpec(slots=slots, ageing=ageing))

    def ask(self, name: str, *wants: PoolWant, keep: Iterable[str] = ()) -> dict[str, PoolAnswer]:
        return dict(self.pools.ask(run(name), wants, keep))

    def granted(self, name: str) -> bool:
        return any(answer == GRANTED for answer in self.pools.answers(run(name)).values())


ORDERS = {
    "who came first goes first": ([want("a", minute=1), want("b", minute=0)], "10m", ["b", "a"]),
    "more priority goes before": ([want("a"), want("b", priority=1)], "10m", ["b", "a"]),
    "who has waited for the ageing goes before one of one more": (
        [want("young", priority=1, minute=11), want("old")], "10m", ["old", "young"],
    ),
    "who has not waited so long does not": (
        [want("young", priority=1, minute=9), want("old")], "10m", ["young", "old"],
    ),
    "without ageing priorities count for nothing": (
        [want("young", priority=1000, minute=1), want("old")], "0s", ["old", "young"],
    ),
    "at the same moment the name decides": ([want("b"), want("a")], "10m", ["a", "b"]),
}  # fmt: skip


@pytest.mark.parametrize(("wants", "ageing", "order"), ORDERS.values(), ids=ORDERS.keys())
def test_the_order_of_those_who_wait(wants: list[PoolWant], ageing: str, order: list[str]) -> None:
    desk = Desk(0, ageing)
    desk.resize(1, ageing)
    desk.pools.pod_changed(None, pod("first"))
    for one in wants:
        desk.ask(one.pod, one)
    served = []
    before = pod("first")
    for _ in wants:
        desk.pools.pod_changed(before, None)
        (name,) = (name for name in order if name not in served and desk.granted(name))
        served.append(name)
        before = pod(name)
        desk.pools.pod_changed(None, before)
    assert served == order


def test_what_is_granted_is_counted_until_its_pod_is_seen_and_then_by_the_pod() -> None:
    desk = Desk(2)
    assert desk.ask("r1", want("a")) == {"a": GRANTED}
    assert desk.ask("r2", want("b", slots=2)) == {"b": waits(1, 1)}
    desk.pools.pod_changed(None, pod("a"))
    assert desk.pools.answers(run("r1")) == {}
    status = desk.pools.status(KEY)
    assert status is not None
    assert (status.used, status.free, status.waiting, [one.pod for one in status.next]) == (1, 1, 1, ["b"])
    assert desk.woken == []
    desk.pools.pod_changed(pod("a"), pod("a", phase=PodPhase.ENDED))
    assert desk.woken == ["r2"]
    assert desk.pools.answers(run("r2")) == {"b": GRANTED}


def test_nobody_who_asks_for_few_passes_the_first_who_asks_for_many() -> None:
    desk = Desk(3)
    desk.pools.pod_changed(None, pod("x", slots=2))
    desk.ask("many", want("m", slots=3))
    assert desk.ask("few", want("f", minute=1)) == {"f": waits(2, 2, 3)}
    desk.pools.pod_changed(pod("x", slots=2), None)
    assert (desk.granted("many"), desk.granted("few")) == (True, False)


def test_a_pool_that_shrinks_stops_nothing_and_grants_nothing_until_enough_is_free() -> None:
    desk = Desk(3)
    for name in ("x", "y", "z"):
        desk.pools.pod_changed(None, pod(name))
    desk.resize(1)
    assert desk.ask("r", want("a")) == {"a": waits(1, 1, 1)}
    status = desk.pools.status(KEY)
    assert status is not None
    assert (status.used, status.free) == (3, 0)
    for name in ("x", "y"):
        desk.pools.pod_changed(pod(name), None)
    assert not desk.granted("r")
    desk.pools.pod_changed(pod("z"), None)
    assert desk.granted("r")


def test_a_pool_that_is_missing_or_too_small_is_said_and_mended() -> None:
    desk = Desk(None)
    assert desk.ask("r", want("a", slots=4)) == {"a": PoolAnswer(PoolAnswerKind.MISSING)}
    desk.resize(3)
    assert desk.woken == ["r"]
    assert desk.pools.answers(run("r")) == {"a": PoolAnswer(PoolAnswerKind.TOO_SMALL, slots=3)}
    assert desk.ask("small", want("b", minute=5)) == {"b": GRANTED}
    desk.resize(5)
    assert desk.granted("r")
    desk.pools.pool_gone(KEY)
    assert desk.pools.status(KEY) is None
    assert desk.ask("late", want("c")) == {"c": PoolAnswer(PoolAnswerKind.MISSING)}


GIVEN_BACK = {
    "the run wants it no more": lambda desk: desk.ask("r1"),
    "the run is over": lambda desk: desk.pools.leave(run("r1")),
    "its create was refused": lambda desk: desk.pools.made(run("r1"), "a"),
}


@pytest.mark.parametrize("act", GIVEN_BACK.values(), ids=GIVEN_BACK.keys())
def test_what_was_granted_in_vain_goes_to_the_next(act) -> None:  # type: ignore[no-untyped-def]  # a table of lambdas
    desk = Desk(1)
    desk.ask("r1", want("a"))
    desk.ask("r2", want("b"))
    act(desk)
    assert desk.granted("r2")
    desk.pools.leave(run("r2"))
    desk.pools.pool_gone(KEY)
    assert (desk.pools._pools, desk.pools._asked) == ({}, {})


def test_a_create_without_an_answer_keeps_its_slots() -> None:
    desk = Desk(1)
    desk.ask("r1", want("a"))
    desk.ask("r2", want("b"))
    assert desk.ask("r1", keep=["a"]) == {"a": GRANTED}
    assert not desk.granted("r2")


def test_after_a_restart_live_pods_are_counted_before_anybody_asks() -> None:
    desk = Desk(None)
    desk.pools.pod_changed(None, pod("old", slots=2))
    desk.resize(2)
    assert desk.pools.status(KEY) == PoolStatus(used=2, free=0, waiting=0, next=[])
    assert desk.ask("r", want("a")) == {"a": waits(1, 1)}


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.lists(st.tuples(st.integers(1, 4), st.integers(-2, 2)), max_size=25), st.integers())
def test_never_more_than_there_is_and_everybody_in_the_end(slots: int, asked: list[tuple[int, int]], seed: int) -> None:
    chance = random.Random(seed)
    desk = Desk(slots)
    fitting = [
        want(f"p{number:02}", min(size, slots), priority, number) for number, (size, priority) in enumerate(asked)
    ]
    waiting = {one.pod: one for one in fitting}
    live: dict[str, int] = {}
    todo = list(fitting)
    for _ in range(40 * (len(fitting) + 1)):
        if not waiting and not live:
            break
        if todo and chance.random() < 0.5:
            one = todo.pop(chance.randrange(len(todo)))
            desk.ask(one.pod, one)
        ready = [name for name in waiting if desk.granted(name)]
        if ready and chance.random() < 0.5:
            name = chance.choice(ready)
            one = waiting.pop(name)
            desk.pools.pod_changed(None, pod(name, one.slots))
            live[name] = one.slots
        elif live and chance.random() < 0.7:
            name = chance.choice(sorted(live))
            desk.pools.pod_changed(pod(name, live.pop(name)), None)
        status = desk.pools.status(KEY)
        assert status is not None
        assert status.used <= slots
    assert (waiting, live) == ({}, {})
    assert desk.pools._asked == {}
