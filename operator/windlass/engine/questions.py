"""What runs want to know of things outside of them: other runs, and objects of the cluster. Who is told is who asked.

    plan ──questions──▶ a lookout for each kind, namespace and service account ──changed──▶ those who asked for it

Objects are watched, not polled, where that is allowed; a lookout that nobody needs any more is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from windlass.engine.record import RunKey
from windlass.engine.slots import WorkflowKey
from windlass.plan.history import RunSummary
from windlass.plan.sights import ObjectQuestion, Sight, selects

Body = Mapping[str, Any]


class Place(NamedTuple):
    """What a lookout watches."""

    namespace: str
    service_account: str
    api_version: str
    kind: str


class Lookout(Protocol):
    """Watches the objects of one kind in one namespace, as one service account."""

    def sight(self, question: ObjectQuestion) -> Sight | None:
        """What is known now; None: nothing yet."""
        ...

    def want(self, question: ObjectQuestion) -> None:
        """The question will be asked: where the kind can't be watched, these objects are read again and again."""
        ...

    def leave(self, question: ObjectQuestion) -> None:
        """It will not be asked any more."""
        ...

    def close(self) -> None: ...


Changed = Callable[[str | None, Mapping[str, str]], None]
"""Called with an object's name and labels; with None: anything may have changed."""


class Lookouts(Protocol):
    """Opens lookouts."""

    def open(self, place: Place, changed: Changed) -> Lookout: ...


@dataclass(slots=True)
class _Post:
    """A lookout, and who asks for what there."""

    lookout: Lookout
    by_name: dict[str, dict[RunKey, ObjectQuestion]] = field(default_factory=dict)
    by_selector: dict[ObjectQuestion, dict[RunKey, None]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (self.by_name or self.by_selector)


class Questions:
    """Who asks for what. `wake` is called with a run whose answers may have changed."""

    def __init__(self, lookouts: Lookouts | None, wake: Callable[[RunKey], None]) -> None:
        self._lookouts = lookouts
        self._wake = wake
        self._posts: dict[Place, _Post] = {}
        self._asked: dict[RunKey, frozenset[ObjectQuestion]] = {}
        self._awaiting: dict[WorkflowKey, dict[RunKey, None]] = {}
        self._awaits: dict[RunKey, frozenset[str]] = {}

    def run_changed(self, old: RunSummary | None, new: RunSummary | None) -> None:
        """Take a run's change: others may wait for it."""
        run = new or old
        if run is None or not run.workflow or (old is not None and new is not None and old.phase is new.phase):
            return
        for key in tuple(self._awaiting.get(WorkflowKey(run.namespace, run.workflow), ())):
            self._wake(key)

    def answers(self, run: RunKey) -> dict[ObjectQuestion, Sight]:
        """What is known for what the run has asked."""
        found = {}
        for question in self._asked.get(run, ()):
            sight = self._posts[_place(run, question)].lookout.sight(question)
            if sight is not None:
                found[question] = sight
        return found

    def ask(self, run: RunKey, questions: Iterable[ObjectQuestion], workflows: frozenset[str]) -> None:
        """Ask for these, and for nothing else any more."""
        if workflows != self._awaits.get(run, frozenset()):
            self._await(run, workflows)
        wanted, before = frozenset(questions), self._asked.get(run, frozenset())
        if wanted == before:
            return
        for question in wanted - before:
            self._enter(run, question)
        for question in before - wanted:
            self._leave(run, question)
        if wanted:
            self._asked[run] = wanted
        else:
            self._asked.pop(run, None)

    def leave(self, run: RunKey) -> None:
        """The run is over: it asks for nothing."""
        self.ask(run, (), frozenset())

    def close(self) -> None:
        """End all lookouts."""
        for post in self._posts.values():
            post.lookout.close()
        self._posts.clear()
        self._asked.clear()

    def _await(self, run: RunKey, workflows: frozenset[str]) -> None:
        before = self._awaits.get(run, frozenset())
        for name in workflows - before:
            self._awaiting.setdefault(WorkflowKey(run.namespace, name), {})[run] = None
        for name in before - workflows:
            key = WorkflowKey(run.namespace, name)
            del self._awaiting[key][run]
            if not self._awaiting[key]:
                del self._awaiting[key]
        if workflows:
            self._awaits[run] = workflows
        else:
            self._awaits.pop(run, None)

    def _enter(self, run: RunKey, question: ObjectQuestion) -> None:
        place = _place(run, question)
        post = self._posts.get(place)
        if post is None:
            assert self._lookouts is not None, "an engine whose runs wait for objects has lookouts"
            lookout = self._lookouts.open(place, lambda name, labels: self._changed(place, name, labels))
            post = self._posts[place] = _Post(lookout)
        if question.name is not None:
            post.by_name.setdefault(question.name, {})[run] = question
        else:
            post.by_selector.setdefault(question, {})[run] = None
        post.lookout.want(question)

    def _leave(self, run: RunKey, question: ObjectQuestion) -> None:
        place = _place(run, question)
        post = self._posts[place]
        if question.name is not None:
            _take_out(post.by_name, question.name, run)
        else:
            _take_out(post.by_selector, question, run)
        post.lookout.leave(question)
        if post.empty:
            post.lookout.close()
            del self._posts[place]

    def _changed(self, place: Place, name: str | None, labels: Mapping[str, str]) -> None:
        post = self._posts.get(place)
        if post is None:
            return
        names = post.by_name if name is None else {name: post.by_name.get(name, {})}
        woken = {run: None for runs in names.values() for run in runs}
        for question, runs in post.by_selector.items():
            if name is None or selects(question.selector, labels):
                woken |= runs
        for run in woken:
            self._wake(run)


def _place(run: RunKey, question: ObjectQuestion) -> Place:
    return Place(run.namespace, question.service_account, question.api_version, question.kind)


def _take_out(runs: dict[Any, dict[RunKey, Any]], key: Any, run: RunKey) -> None:
    runs[key].pop(run, None)
    if not runs[key]:
        del runs[key]
