"""maxActiveTasks over all runs of a Workflow: counted from what lives, never up and down."""

from __future__ import annotations

from dataclasses import replace

from support.clock import START
from windlass.engine.record import RunKey
from windlass.engine.slots import Slots, WorkflowKey
from windlass.plan.types import PodPhase, PodView

WORKFLOW = WorkflowKey("data", "etl")
RUN, OTHER = RunKey("data", "etl-1"), RunKey("data", "etl-2")


class Woken(list[RunKey]):
    """Slots that note whom they woke."""

    def __init__(self) -> None:
        super().__init__()
        self.slots = Slots(self.append)


def pod(name: str, phase: PodPhase = PodPhase.RUNNING) -> PodView:
    return PodView("data", name, f"uid-{name}", 1, "etl", "etl-1", "run-uid", "a", 1, phase, START)


def test_without_a_limit_there_is_none() -> None:
    assert Woken().slots.free(WORKFLOW, None) is None


def test_live_pods_and_grants_take_slots_once_each() -> None:
    slots = Woken().slots
    slots.pod_changed(None, pod("a"))
    slots.grant(WORKFLOW, RUN, ["a", "b"])
    assert slots.free(WORKFLOW, 3) == 1
    slots.pod_changed(None, pod("b"))
    assert slots.free(WORKFLOW, 3) == 1


def test_a_create_that_was_not_heard_of_holds_the_slot_of_its_own_run() -> None:
    slots = Woken().slots
    slots.grant(WORKFLOW, RUN, ["a"])
    slots.grant(WORKFLOW, OTHER, ["b"])
    assert (slots.free(WORKFLOW, 2), slots.held(WORKFLOW, RUN)) == (0, {"a"})


def test_a_refused_create_gives_its_slot_to_who_waits() -> None:
    woken = Woken()
    woken.slots.grant(WORKFLOW, RUN, ["a"])
    woken.slots.wait(WORKFLOW, OTHER)
    woken.slots.give_back(WORKFLOW, ["a"])
    assert (woken.slots.free(WORKFLOW, 1), woken) == (1, [OTHER])


def test_a_slot_that_was_never_granted_wakes_nobody() -> None:
    woken = Woken()
    woken.slots.wait(WORKFLOW, OTHER)
    woken.slots.give_back(WORKFLOW, ["a"])
    assert woken == []


def test_a_run_that_is_over_gives_up_its_place_and_its_slots() -> None:
    woken = Woken()
    woken.slots.grant(WORKFLOW, RUN, ["a"])
    woken.slots.wait(WORKFLOW, RUN)
    woken.slots.wait(WORKFLOW, OTHER)
    woken.slots.leave(RUN)
    assert (woken.slots.free(WORKFLOW, 1), woken) == (1, [OTHER])


def test_an_ended_pod_frees_its_slot_and_wakes_who_waits_in_their_order() -> None:
    woken = Woken()
    slots = woken.slots
    slots.pod_changed(None, pod("a"))
    slots.wait(WORKFLOW, OTHER)
    slots.wait(WORKFLOW, RUN)
    slots.wait(WORKFLOW, OTHER)
    slots.pod_changed(pod("a"), pod("a", PodPhase.ENDED))
    assert (slots.free(WORKFLOW, 1), woken) == (1, [OTHER, RUN])
    slots.pod_changed(pod("a", PodPhase.ENDED), None)
    assert woken == [OTHER, RUN]


def test_a_pod_that_had_ended_when_it_was_first_seen_needs_no_slot() -> None:
    woken = Woken()
    woken.slots.grant(WORKFLOW, RUN, ["a"])
    woken.slots.wait(WORKFLOW, OTHER)
    woken.slots.pod_changed(None, pod("a", PodPhase.ENDED))
    assert (woken.slots.free(WORKFLOW, 1), woken) == (1, [OTHER])


def test_a_pod_that_vanishes_frees_its_slot() -> None:
    slots = Woken().slots
    slots.pod_changed(None, pod("a"))
    slots.pod_changed(pod("a"), None)
    assert slots.free(WORKFLOW, 1) == 1


def test_a_pod_whose_label_was_changed_counts_where_it_says_now() -> None:
    slots = Woken().slots
    slots.pod_changed(None, pod("a"))
    slots.pod_changed(pod("a"), replace(pod("a"), workflow="other"))
    slots.pod_changed(replace(pod("a"), workflow="other"), None)
    assert (slots.free(WORKFLOW, 1), slots.free(WorkflowKey("data", "other"), 1)) == (1, 1)


def test_other_workflows_and_namespaces_don_t_count() -> None:
    slots = Woken().slots
    slots.pod_changed(None, pod("a"))
    slots.pod_changed(None, replace(pod("b"), workflow="other"))
    slots.pod_changed(None, replace(pod("c"), namespace="other"))
    assert slots.free(WORKFLOW, 2) == 1


def test_nothing_is_remembered_of_what_is_over() -> None:
    slots = Woken().slots
    for number in range(3):
        one = replace(pod(f"p{number}"), workflow=f"alone-{number}")
        slots.grant(WorkflowKey("data", one.workflow), RUN, [one.name])
        slots.wait(WorkflowKey("data", one.workflow), OTHER)
        slots.pod_changed(None, one)
        slots.pod_changed(one, None)
    assert [len(part) for part in vars(slots).values() if isinstance(part, dict)] == [0, 0, 0]
