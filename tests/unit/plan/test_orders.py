"""What spec and actions say together about suspending and stopping a run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from windlass.models.run import Orders, Stop, WorkflowRunSpec, WorkflowRunStatus
from windlass.plan.orders import current_orders, stop_of, suspended
from windlass.plan.types import RunView

C, T = Stop.CANCEL, Stop.TERMINATE


def view(orders: Orders | None, *, suspend: bool = False, stop: Stop | None = None) -> RunView:
    spec = WorkflowRunSpec(workflow="w", suspend=suspend, stop=stop)
    made = datetime(2025, 4, 1, tzinfo=UTC)
    return RunView("data", "r", "u", 1, made, spec, WorkflowRunStatus(orders=orders), "w")


SUSPENDED: dict[str, tuple[RunView, bool]] = {
    "nobody says so": (view(None), False),
    "the spec": (view(None, suspend=True), True),
    "an action": (view(Orders(suspend=True, suspend_over=False)), True),
    "an action against the spec": (view(Orders(suspend=False, suspend_over=True), suspend=True), False),
    "the spec after an action": (view(Orders(suspend=False, suspend_over=False), suspend=True), True),
    "the spec took it back": (view(Orders(suspend=True, suspend_over=True)), False),
    "an action about something else": (view(Orders(stop=C), suspend=True), True),
}


@pytest.mark.parametrize("case", SUSPENDED.values(), ids=SUSPENDED.keys())
def test_suspended(case: tuple[RunView, bool]) -> None:
    assert suspended(case[0]) is case[1]


STOPS: dict[str, tuple[RunView, Stop | None]] = {
    "nobody says so": (view(None), None),
    "the spec": (view(None, stop=C), C),
    "an action": (view(Orders(stop=C)), C),
    "the stronger counts: the action": (view(Orders(stop=T), stop=C), T),
    "the stronger counts: the spec": (view(Orders(stop=C), stop=T), T),
    "a retry has left it behind": (view(Orders(stop_over=C), stop=C), None),
    "it was left behind, and grew": (view(Orders(stop_over=C), stop=T), T),
    "it was left behind, and an action stops it": (view(Orders(stop=C, stop_over=C), stop=C), C),
    "terminated, then retried": (view(Orders(stop_over=T), stop=T), None),
}


@pytest.mark.parametrize("case", STOPS.values(), ids=STOPS.keys())
def test_stop(case: tuple[RunView, Stop | None]) -> None:
    assert stop_of(case[0]) is case[1]


def test_a_word_that_was_overtaken_is_forgotten() -> None:
    """Else it would count again, once the spec says what it said then."""
    assert current_orders(view(Orders(suspend=False, suspend_over=True))) is None
    kept = Orders(suspend=True, suspend_over=False, stop=C)
    assert current_orders(view(kept)) is kept
    assert current_orders(view(kept, suspend=True)) == Orders(stop=C)
