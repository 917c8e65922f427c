"""Who is woken by what, and that nothing is left over when nobody asks any more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.engine.questions import Changed, Place, Questions
from windlass.engine.record import RunKey
from windlass.models.run import RunPhase
from windlass.plan.history import RunSummary
from windlass.plan.sights import ObjectQuestion, Sight, SightKind, selects

NONE: frozenset[str] = frozenset()
NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Post:
    """A lookout that tells what it was asked."""

    def __init__(self, place: Place, changed: Changed) -> None:
        self.place = place
        self.changed = changed
        self.wanted: list[ObjectQuestion] = []
        self.closed = False

    def sight(self, question: ObjectQuestion) -> Sight | None:
        return Sight(SightKind.SEEN, ({"metadata": {"name": question.name}},))

    def want(self, question: ObjectQuestion) -> None:
        self.wanted.append(question)

    def leave(self, question: ObjectQuestion) -> None:
        self.wanted.remove(question)

    def close(self) -> None:
        self.closed = True


class Desk:
    """Questions, the lookouts that they opened, and who was woken."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.woken: list[str] = []
        self.questions = Questions(self, lambda key: self.woken.append(key.name))

    def open(self, place: Place, changed: Changed) -> Post:
        self.posts.append(Post(place, changed))
        return self.posts[-1]

    def ask(
        self, run: str, *questions: ObjectQuestion, workflows: frozenset[str] = NONE, namespace: str = "data"
    ) -> None:
        self.questions.ask(RunKey(namespace, run), questions, workflows)

    def change(self, name: str | None, labels: Mapping[str, str] | None = None, post: int = 0) -> list[str]:
        self.woken.clear()
        self.posts[post].changed(name, labels or {})
        return sorted(self.woken)

    def nothing_left(self) -> bool:
        held = (self.questions._posts, self.questions._asked, self.questions._awaiting, self.questions._awaits)
        return not any(held) and all(post.closed and not post.wanted for post in self.posts)


def named(name: str, account: str = "default", kind: str = "Job", **fields: Any) -> ObjectQuestion:
    return ObjectQuestion(account, "batch/v1", kind, name, **fields)


def labelled(selector: str) -> ObjectQuestion:
    return ObjectQuestion("default", "batch/v1", "Job", selector=selector)


def test_who_asked_for_an_object_is_woken_and_nobody_else() -> None:
    desk = Desk()
    desk.ask("a", named("x"))
    desk.ask("b", named("y"))
    desk.ask("c", named("x"), named("y"))
    desk.ask("d", labelled("app=web"))
    assert desk.change("x") == ["a", "c"]
    assert desk.change("y", {"app": "db"}) == ["b", "c"]
    assert desk.change("z", {"app": "web", "more": "x"}) == ["d"]
    assert desk.change("z") == []
    assert desk.change(None) == ["a", "b", "c", "d"]


def test_one_lookout_for_a_kind_a_namespace_and_a_service_account() -> None:
    desk = Desk()
    for number in range(1000):
        desk.ask(f"r{number}", named(f"x{number}"))
    desk.ask("other", named("x", account="robot"))
    desk.ask("other", named("x", account="robot"), named("x", kind="CronJob"))
    desk.ask("there", named("x"), namespace="sales")
    assert [post.place for post in desk.posts] == [
        Place("data", "default", "batch/v1", "Job"),
        Place("data", "robot", "batch/v1", "Job"),
        Place("data", "default", "batch/v1", "CronJob"),
        Place("sales", "default", "batch/v1", "Job"),
    ]
    assert desk.change("x7") == ["r7"]


def test_a_lookout_is_closed_when_the_last_one_leaves_and_opened_anew() -> None:
    desk = Desk()
    desk.ask("a", named("x"))
    desk.ask("b", named("x"))
    desk.questions.leave(RunKey("data", "a"))
    assert not desk.posts[0].closed
    assert desk.change("x") == ["b"]
    desk.ask("b")
    assert desk.posts[0].closed
    assert desk.change("x") == []
    assert desk.nothing_left()
    desk.ask("b", named("x"))
    assert len(desk.posts) == 2


def test_who_asks_for_something_else_is_not_woken_by_what_it_asked_before() -> None:
    desk = Desk()
    desk.ask("a", named("x"), labelled("app=web"))
    desk.ask("a", named("y"))
    assert desk.change("x", {"app": "web"}) == []
    assert desk.change("y") == ["a"]
    assert desk.posts[0].wanted == [named("y")]


def test_the_same_again_changes_nothing() -> None:
    desk = Desk()
    for _ in range(3):
        desk.ask("a", named("x"))
    assert desk.posts[0].wanted == [named("x")]


def test_answers_are_those_that_were_asked_for() -> None:
    desk = Desk()
    desk.ask("a", named("x"))
    desk.ask("b", named("y"))
    assert {question.name for question in desk.questions.answers(RunKey("data", "a"))} == {"x"}
    assert desk.questions.answers(RunKey("data", "c")) == {}


def test_leaving_without_having_asked_is_nothing() -> None:
    desk = Desk()
    desk.questions.leave(RunKey("data", "a"))
    assert desk.nothing_left()


def summary(workflow: str, phase: RunPhase | None, namespace: str = "data") -> RunSummary:
    return RunSummary(
        namespace=namespace, name="other", uid="u", version=1, workflow=workflow, owner=None, phase=phase, trigger=None,
        slot=None, logical_date=NOW, priority=None, created_at=NOW,
    )  # fmt: skip


RUNNING, DONE = summary("etl", RunPhase.RUNNING), summary("etl", RunPhase.SUCCEEDED)
CHANGES: dict[str, tuple[RunSummary | None, RunSummary | None, list[str]]] = {
    "a run begins to be": (None, summary("etl", None), ["a", "b"]),
    "a run goes on to another phase": (RUNNING, DONE, ["a", "b"]),
    "a run is deleted": (DONE, None, ["a", "b"]),
    "a run changes within its phase": (RUNNING, summary("etl", RunPhase.RUNNING), []),
    "a run of another Workflow": (None, summary("prices", RunPhase.SUCCEEDED), ["b"]),
    "a run of a Workflow that nobody waits for": (None, summary("sales", RunPhase.SUCCEEDED), []),
    "a run of that name in another namespace": (None, summary("etl", RunPhase.SUCCEEDED, "sales"), ["c"]),
    "a run of no Workflow": (None, summary("", RunPhase.SUCCEEDED), []),
    "nothing": (None, None, []),
}


@pytest.mark.parametrize(("old", "new", "woken"), CHANGES.values(), ids=CHANGES.keys())
def test_who_waits_for_runs_of_a_workflow_is_woken(
    old: RunSummary | None, new: RunSummary | None, woken: list[str]
) -> None:
    desk = Desk()
    desk.ask("a", workflows=frozenset({"etl"}))
    desk.ask("b", workflows=frozenset({"etl", "prices"}))
    desk.ask("c", workflows=frozenset({"etl"}), namespace="sales")
    desk.ask("d", named("x"))
    desk.questions.run_changed(old, new)
    assert sorted(desk.woken) == woken


def test_who_waits_for_runs_no_more_is_woken_no_more() -> None:
    desk = Desk()
    desk.ask("a", workflows=frozenset({"etl", "prices"}))
    desk.ask("b", workflows=frozenset({"etl"}))
    desk.ask("a", workflows=frozenset({"prices"}))
    desk.questions.leave(RunKey("data", "b"))
    desk.questions.run_changed(RUNNING, DONE)
    assert desk.woken == []
    desk.questions.run_changed(None, summary("prices", RunPhase.RUNNING))
    assert desk.woken == ["a"]


SELECTORS = {("", True), ("app=web", True), ("app=web,tier=x", True), ("app=db", False), ("app=web,zone=y", False)}


def test_selectors() -> None:
    assert {(selector, selects(selector, {"app": "web", "tier": "x"})) for selector, _ in SELECTORS} == SELECTORS


QUESTIONS = st.lists(
    st.sampled_from([named("x"), named("y"), named("x", "robot"), labelled("a=b"), labelled("")]), unique=True
)
STEPS = st.lists(st.tuples(st.sampled_from("abc"), QUESTIONS, st.frozensets(st.sampled_from(["w", "v"]))), max_size=20)


@given(STEPS)
def test_whatever_was_asked_nothing_is_left_over(steps: list[tuple[str, list[ObjectQuestion], frozenset[str]]]) -> None:
    desk = Desk()
    asked: dict[str, set[ObjectQuestion]] = {}
    for run, questions, workflows in steps:
        desk.ask(run, *questions, workflows=workflows)
        asked[run] = set(questions)
        live = [one for post in desk.posts if not post.closed for one in post.wanted]
        assert sorted(map(repr, live)) == sorted(repr(one) for ones in asked.values() for one in ones)
    for run in asked:
        desk.questions.leave(RunKey("data", run))
    assert desk.nothing_left()
