"""maxActiveTasks over all runs of a Workflow: counted from what lives, never up and down."""

from __future__ import annotations

from dataclasses import replace

from support.clock import START
from windlass.engine.record import RunKey
from windlass.engine.slots import Slots, WorkflowKey
from windlass.plan.types import PodPhase, PodView

WORKFLOW = WorkflowKey("data", "etl")
RUN, OTHER = RunKey("data", "etl-1"), RunKey("data", "etl-2")


def pod(name: str, phase: PodPhase = PodPhase.RUNNING) -> PodView:
    return PodView("data", name, f"uid-{name}", 1, "etl", "etl-1", "run-uid", "a", 1, phase, START)


def test_without_a_limit_there_is_none() -> None:
    assert Slots().free(WORKFLOW, None) is None


def test_live_pods_and_grants_take_slots_once_each() -> None:
    slots = Slots()
    slots.pod_changed(None, pod("a"))
    slots.grant(WORKFLOW, ["a", "b"])
    assert slots.free(WORKFLOW, 3) == 1
    slots.pod_changed(None, pod("b"))
    assert slots.free(WORKFLOW, 3) == 1


def test_a_create_that_was_not_heard_of_keeps_its_slot_for_its_own_run() -> None:
    slots = Slots()
    slots.grant(WORKFLOW, ["a"])
    assert (slots.free(WORKFLOW, 1), slots.free(WORKFLOW, 1, own=["a"])) == (0, 1)


def test_a_refused_create_gives_its_slot_back() -> None:
    slots = Slots()
    slots.grant(WORKFLOW, ["a"])
    slots.give_back(WORKFLOW, "a")
    assert slots.free(WORKFLOW, 1) == 1


def test_an_ended_pod_frees_its_slot_and_wakes_who_waits_in_their_order() -> None:
    slots = Slots()
    slots.pod_changed(None, pod("a"))
    slots.wait(WORKFLOW, OTHER)
    slots.wait(WORKFLOW, RUN)
    slots.wait(WORKFLOW, OTHER)
    assert slots.pod_changed(pod("a"), pod("a", PodPhase.ENDED)) == (OTHER, RUN)
    assert slots.free(WORKFLOW, 1) == 1
    assert slots.pod_changed(pod("a", PodPhase.ENDED), None) == ()


def test_a_pod_that_vanishes_frees_its_slot() -> None:
    slots = Slots()
    slots.pod_changed(None, pod("a"))
    slots.pod_changed(pod("a"), None)
    assert slots.free(WORKFLOW, 1) == 1


def test_other_workflows_and_namespaces_don_t_count() -> None:
    slots = Slots()
    slots.pod_changed(None, pod("a"))
    slots.pod_changed(None, replace(pod("b"), workflow="other"))
    slots.pod_changed(None, replace(pod("c"), namespace="other"))
    assert slots.free(WORKFLOW, 2) == 1
