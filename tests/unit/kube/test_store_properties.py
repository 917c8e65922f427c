"""Whatever the order in which a cache hears of things, it ends where the server is, and never goes back in time."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from windlass.kube.store import Relist, Store

NAMES = st.sampled_from(["a", "b"])
Seen = tuple[str, str, int]
Body = dict[str, Any]


def body(name: str, uid: str, version: int) -> Body:
    return {"metadata": {"namespace": "data", "name": name, "uid": uid, "resourceVersion": str(version)}}


def slim(obj: Body) -> Seen:
    metadata = obj["metadata"]
    return metadata["name"], metadata["uid"], int(metadata["resourceVersion"])


class ServerAndCache(RuleBasedStateMachine):
    """A server whose history is told late, out of turn by answers, or as a list."""

    def __init__(self) -> None:
        super().__init__()
        self.version = 1
        self.objects: dict[str, Body] = {}
        self.history: list[tuple[str, Body]] = []
        self.told = 0
        self.answers: list[Body] = []
        self.relist: tuple[Relist, list[Body], int, int] | None = None
        self.living: dict[str, int] = {}
        self.ended: set[str] = set()
        self.wrong: list[str] = []
        self.store: Store[Seen] = Store(slim, lambda seen: seen[1], self.changed)
        self.begin_list()
        self.end_list()

    def changed(self, old: Seen | None, new: Seen | None) -> None:
        if old is not None and self.living.get(old[1]) != old[2]:
            self.wrong.append(f"{old} is not what was told last")
        if old is not None and (new is None or new[1] != old[1]):
            self.living.pop(old[1], None)
            self.ended.add(old[1])
        if new is not None:
            if new[1] in self.ended:
                self.wrong.append(f"{new} had gone and came back")
            if self.living.get(new[1], 0) >= new[2]:
                self.wrong.append(f"{new} came after a newer version")
            self.living[new[1]] = new[2]

    @rule(name=NAMES)
    def write(self, name: str) -> None:
        """Someone creates or changes an object."""
        self.version += 1
        old = self.objects.get(name)
        uid = old["metadata"]["uid"] if old else f"{name}-{self.version}"
        self.objects[name] = body(name, uid, self.version)
        self.history.append(("MODIFIED" if old else "ADDED", self.objects[name]))
        self.answers.append(self.objects[name])

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        """Someone deletes an object."""
        if name in self.objects:
            self.version += 1
            old = self.objects.pop(name)
            self.history.append(("DELETED", body(name, old["metadata"]["uid"], self.version)))

    @precondition(lambda self: self.relist is None)
    @rule(events=st.integers(1, 3))
    def tell(self, events: int) -> None:
        """The watch goes on."""
        for kind, obj in self.history[self.told : self.told + events]:
            self.told += 1
            if kind == "DELETED":
                self.store.removed(obj)
            else:
                self.store.apply(obj)

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """An answer to a write or a read arrives, however late."""
        self.store.note(data.draw(st.sampled_from(self.answers)))

    @rule(name=NAMES)
    def not_found(self, name: str) -> None:
        """A request on an object that the cache has, and the server has no more, is answered 404."""
        known = self.store.get("data", name)
        present = self.objects.get(name)
        if known is not None and (present is None or present["metadata"]["uid"] != known[1]):
            self.store.forget("data", name, known[1])

    @precondition(lambda self: self.relist is None)
    @rule()
    def begin_list(self) -> None:
        """The watch was given up; a list is asked for, and made by the server now."""
        self.relist = self.store.relist_begins(), list(self.objects.values()), self.version, len(self.history)

    @precondition(lambda self: self.relist is not None)
    @rule()
    def end_list(self) -> None:
        """The list arrives."""
        assert self.relist is not None
        relist, items, version, self.told = self.relist
        self.store.relist_part(relist, items, str(version))
        self.store.relist_ends(relist)
        self.relist = None

    @invariant()
    def nothing_went_back_in_time(self) -> None:
        assert self.wrong == []

    @invariant()
    def the_index_is_right(self) -> None:
        assert {seen[0]: seen for seen in self.store} == {
            name: seen for uid in self.living for name, seen in self.store.by_index(uid).items()
        }

    def teardown(self) -> None:
        if self.relist is not None:
            self.end_list()
        self.tell(len(self.history))
        assert {seen[0]: seen for seen in self.store} == {name: slim(obj) for name, obj in self.objects.items()}


TestServerAndCache = ServerAndCache.TestCase
TestServerAndCache.settings = settings(max_examples=150, stateful_step_count=40, deadline=None, derandomize=True)
