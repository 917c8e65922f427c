"""What an informer takes for the newest version of an object, whatever order it hears of it in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from support.scripted_api import pod
from windlass.kube.store import Store, version_of

Slim = tuple[str, str, int]
"""name, uid, version"""
Body = dict[str, Any]


def slim(obj: Body) -> Slim:
    metadata = obj["metadata"]
    if metadata["labels"].get("broken"):
        raise ValueError("broken")
    return metadata["name"], metadata["uid"], version_of(obj)


def apply(obj: Body) -> Callable[[Store[Slim]], None]:
    return lambda store: store.apply(obj)


def note(obj: Body) -> Callable[[Store[Slim]], None]:
    return lambda store: store.note(obj)


def removed(obj: Body) -> Callable[[Store[Slim]], None]:
    return lambda store: store.removed(obj)


def forget(name: str, uid: str) -> Callable[[Store[Slim]], None]:
    return lambda store: store.forget("data", name, uid)


def relist(version: int, *objs: Body) -> Callable[[Store[Slim]], None]:
    def act(store: Store[Slim]) -> None:
        under_way = store.relist_begins()
        store.relist_part(under_way, list(objs), str(version))
        store.relist_ends(under_way)

    return act


def relist_meanwhile(version: int, *objs: Body, then: Callable[[Store[Slim]], None]) -> Callable[[Store[Slim]], None]:
    def act(store: Store[Slim]) -> None:
        under_way = store.relist_begins()
        then(store)
        store.relist_part(under_way, list(objs), str(version))
        store.relist_ends(under_way)

    return act


A, A2 = ("a", "uid-a", 5), ("a", "uid-a", 8)
NEW = ("a", "other", 9)


@dataclass
class Case:
    happened: list[Callable[[Store[Slim]], None]]
    known: list[Slim]
    changes: list[tuple[Slim | None, Slim | None]] = field(default_factory=list)


CASES = {
    "a list": Case([relist(5, pod("a", 5))], [A], [(None, A)]),
    "an event": Case([relist(1), apply(pod("a", 5))], [A], [(None, A)]),
    "a newer event": Case([apply(pod("a", 5)), apply(pod("a", 8))], [A2], [(None, A), (A, A2)]),
    "an older event": Case([apply(pod("a", 8)), apply(pod("a", 5))], [A2], [(None, A2)]),
    "the same event twice": Case([apply(pod("a", 5)), apply(pod("a", 5))], [A], [(None, A)]),
    "an answer is ahead of the watch": Case(
        [relist(1), note(pod("a", 5)), apply(pod("a", 5)), apply(pod("a", 8))], [A2], [(None, A), (A, A2)]
    ),
    "an answer that the watch has overtaken": Case(
        [apply(pod("a", 5)), apply(pod("a", 8)), note(pod("a", 5))], [A2], [(None, A), (A, A2)]
    ),
    "the answer of a create comes after the object's deletion": Case(
        [relist(1), apply(pod("a", 5)), removed(pod("a", 8)), note(pod("a", 5))], [], [(None, A), (A, None)]
    ),
    "an answer that only others' events have overtaken": Case(
        [relist(1), apply(pod("b", 9)), note(pod("a", 5))], [("b", "uid-b", 9)], [(None, ("b", "uid-b", 9))]
    ),
    "a deletion": Case([apply(pod("a", 5)), removed(pod("a", 8))], [], [(None, A), (A, None)]),
    "a deletion of what is not known": Case([removed(pod("a", 8))], []),
    "a deletion without a newer version": Case([note(pod("a", 8)), removed(pod("a", 5))], [], [(None, A2), (A2, None)]),
    "the deletion of a former object of the name": Case(
        [note(pod("a", 9, uid="other")), removed(pod("a", 8))], [NEW], [(None, NEW)]
    ),
    "deleted and made again between two looks": Case(
        [apply(pod("a", 5)), apply(pod("a", 9, uid="other"))], [NEW], [(None, A), (A, None), (None, NEW)]
    ),
    "gone by the API's word": Case([apply(pod("a", 5)), forget("a", "uid-a")], [], [(None, A), (A, None)]),
    "gone by the API's word, and the watch is behind": Case(
        [apply(pod("a", 5)), forget("a", "uid-a"), apply(pod("a", 8)), removed(pod("a", 8))], [], [(None, A), (A, None)]
    ),
    "gone by the API's word, and made again": Case(
        [apply(pod("a", 5)), forget("a", "uid-a"), apply(pod("a", 9, uid="other"))],
        [NEW],
        [(None, A), (A, None), (None, NEW)],
    ),
    "gone by the API's word, and the watch tells of an object before it": Case(
        [relist(1), note(pod("a", 9, uid="other")), forget("a", "other"), apply(pod("a", 5)), removed(pod("a", 8))],
        [],
        [(None, NEW), (NEW, None)],
    ),
    "another object's end": Case([apply(pod("a", 5)), forget("a", "other")], [A], [(None, A)]),
    "what vanished between two lists": Case(
        [relist(5, pod("a", 5), pod("b", 4)), relist(9, pod("b", 4))],
        [("b", "uid-b", 4)],
        [(None, A), (None, ("b", "uid-b", 4)), (A, None)],
    ),
    "what changed between two lists": Case(
        [relist(5, pod("a", 5)), relist(9, pod("a", 8))], [A2], [(None, A), (A, A2)]
    ),
    "an answer newer than the list stays": Case(
        [relist(1), relist_meanwhile(7, then=note(pod("a", 8)))], [A2], [(None, A2)]
    ),
    "an answer newer than its place in the list stays": Case(
        [relist(1), relist_meanwhile(7, pod("a", 5), then=note(pod("a", 8)))], [A2], [(None, A2)]
    ),
    "gone while a list was under way that still has it": Case(
        [relist(5, pod("a", 5)), relist_meanwhile(7, pod("a", 5), then=forget("a", "uid-a"))],
        [],
        [(None, A), (A, None)],
    ),
    "a list has the last word on what was said to be gone": Case(
        [relist(5, pod("a", 5)), forget("a", "uid-a"), relist(9), apply(pod("a", 9, uid="other"))],
        [NEW],
        [(None, A), (A, None), (None, NEW)],
    ),
    "a server that was set up anew": Case(
        [relist(900, pod("a", 800)), relist(5, pod("a", 5))],
        [A],
        [(None, ("a", "uid-a", 800)), (("a", "uid-a", 800), A)],
    ),
    "a server that was set up anew, without it": Case(
        [relist(900, pod("a", 800)), relist(5)], [], [(None, ("a", "uid-a", 800)), (("a", "uid-a", 800), None)]
    ),
    "an unreadable object": Case(
        [apply(pod("a", 5, broken="yes")), apply(pod("b", 6))], [("b", "uid-b", 6)], [(None, ("b", "uid-b", 6))]
    ),
    "an object becomes unreadable, and readable again": Case(
        [apply(pod("a", 5)), apply(pod("a", 6, broken="yes")), apply(pod("a", 8))],
        [A2],
        [(None, A), (A, None), (None, A2)],
    ),
    "an object without a name in a list": Case([relist(5, {"metadata": {}}, pod("a", 5))], [A], [(None, A)]),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_store(case: Case) -> None:
    changes: list[tuple[Slim | None, Slim | None]] = []
    store = Store(slim, lambda value: value[1], lambda old, new: changes.append((old, new)))
    for act in case.happened:
        act(store)
    assert (list(store), changes) == (case.known, case.changes)
    assert {name: value for _, uid, _ in case.known for name, value in store.by_index(uid).items()} == {
        value[0]: value for value in case.known
    }
    assert len(store._by_index) == len({value[1] for value in case.known}), "an empty group is kept"


def test_versions() -> None:
    cases = {"12": 12, "": 0, "abc": 0, None: 0, "-5": 0, "²": 0, 7: 0}
    assert {version: version_of({"metadata": {"resourceVersion": version}}) for version in cases} == cases
    assert version_of({}) == 0


def test_servers_without_numbers() -> None:
    """Then events and lists are believed in the order they come, and answers about unknown objects are not."""
    store = Store(lambda obj: obj["metadata"]["resourceVersion"], None, None)
    versions = ["x", "c", "a"]
    for version in versions:
        obj = pod("a", 0)
        obj["metadata"]["resourceVersion"] = version
        store.apply(obj)
        assert store.get("data", "a") == version


def test_an_unreadable_object_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    store = Store(slim, None, None)
    with caplog.at_level(logging.WARNING):
        for version in (5, 6, 7):
            store.apply(pod("a", version, broken="yes"))
    assert [record.getMessage() for record in caplog.records] == [
        "data/a can't be read and is set aside: ValueError('broken')"
    ]
    assert (store.unreadable, len(store)) == (1, 0)


def test_a_listener_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(old: Slim | None, new: Slim | None) -> None:
        raise RuntimeError("oh")

    store = Store(slim, None, fail)
    store.apply(pod("a", 5))
    assert (list(store), "a change was not taken" in caplog.text) == ([A], True)


def test_what_was_given_stays_as_it_was() -> None:
    store = Store(slim, lambda value: value[1], None)
    store.apply(pod("a", 5))
    before = store.by_index("uid-a")
    store.apply(pod("a", 8))
    assert (before, store.by_index("uid-a")) == ({"a": A}, {"a": A2})


def test_an_index_that_changes() -> None:
    store = Store(lambda obj: obj["metadata"]["labels"]["run"], lambda value: value, None)
    store.apply(pod("a", 5, run="one"))
    store.apply(pod("a", 6, run="two"))
    assert (store.by_index("one"), store.by_index("two")) == ({}, {"a": "two"})
