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


def waits(slots: Slots, run: RunKey, *, key: WorkflowKey = WORKFLOW, limit: int = 0, priority: int = 0) -> None:
    """The run has planned, wants more, and there was none for it."""
    slots.planned(key, run, limit, wants=True, got=False, priority=priority)


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
    waits(woken.slots, OTHER)
    woken.slots.give_back(WORKFLOW, ["a"])
    assert (woken.slots.free(WORKFLOW, 1), woken) == (1, [OTHER])


def test_a_slot_that_was_never_granted_wakes_nobody() -> None:
    woken = Woken()
    waits(woken.slots, OTHER)
    woken.slots.give_back(WORKFLOW, ["a"])
    assert woken == []


def test_a_run_that_is_over_gives_up_its_place_and_its_slots() -> None:
    woken = Woken()
    woken.slots.grant(WORKFLOW, RUN, ["a"])
    waits(woken.slots, RUN)
    waits(woken.slots, OTHER)
    woken.slots.leave(RUN)
    assert (woken.slots.free(WORKFLOW, 1), woken) == (1, [OTHER])


def test_an_ended_pod_frees_its_slot_and_wakes_one_of_those_who_wait() -> None:
    woken = Woken()
    slots = woken.slots
    slots.pod_changed(None, pod("a"))
    waits(slots, OTHER)
    waits(slots, RUN)
    waits(slots, OTHER)
    slots.pod_changed(pod("a"), pod("a", PodPhase.ENDED))
    assert (slots.free(WORKFLOW, 1), woken) == (1, [OTHER])
    slots.pod_changed(pod("a", PodPhase.ENDED), None)
    assert woken == [OTHER]


def test_who_was_woken_and_wants_nothing_passes_the_slot_on() -> None:
    woken = Woken()
    slots = woken.slots
    slots.pod_changed(None, pod("a"))
    waits(slots, OTHER, limit=1)
    waits(slots, RUN, limit=1)
    slots.pod_changed(pod("a"), None)
    slots.planned(WORKFLOW, OTHER, 1, wants=False, got=False)
    assert woken == [OTHER, RUN]


def test_who_was_woken_and_stumbles_lets_another_go_first() -> None:
    woken = Woken()
    slots = woken.slots
    slots.pod_changed(None, pod("a"))
    waits(slots, OTHER, limit=1)
    waits(slots, RUN, limit=1)
    slots.pod_changed(pod("a"), None)
    slots.stumbled(OTHER)
    assert woken == [OTHER, RUN]
    slots.planned(WORKFLOW, RUN, 1, wants=False, got=False)
    assert woken == [OTHER, RUN, OTHER], "it kept its place"


def test_who_was_woken_and_is_over_passes_the_slot_on() -> None:
    woken = Woken()
    slots = woken.slots
    slots.pod_changed(None, pod("a"))
    waits(slots, OTHER, limit=1)
    waits(slots, RUN, limit=1)
    slots.pod_changed(pod("a"), None)
    slots.leave(OTHER)
    assert woken == [OTHER, RUN]


def test_who_got_a_slot_and_wants_more_goes_to_the_end() -> None:
    woken = Woken()
    slots = woken.slots
    slots.pod_changed(None, pod("a"))
    waits(slots, OTHER, limit=1)
    waits(slots, RUN, limit=1)
    slots.pod_changed(pod("a"), None)
    slots.grant(WORKFLOW, OTHER, ["b"])
    slots.planned(WORKFLOW, OTHER, 1, wants=True, got=True)
    slots.give_back(WORKFLOW, ["b"])
    assert woken == [OTHER, RUN]


def test_who_got_none_keeps_its_place() -> None:
    woken = Woken()
    slots = woken.slots
    slots.pod_changed(None, pod("a"))
    waits(slots, OTHER, limit=1)
    waits(slots, RUN, limit=1)
    waits(slots, OTHER, limit=1)
    slots.pod_changed(pod("a"), None)
    assert woken == [OTHER]


def test_a_higher_priority_goes_first() -> None:
    woken = Woken()
    slots = woken.slots
    slots.pod_changed(None, pod("a"))
    waits(slots, OTHER, limit=1)
    waits(slots, RUN, limit=1, priority=5)
    slots.pod_changed(pod("a"), None)
    assert woken == [RUN]


def test_a_thousand_runs_that_wait_are_woken_one_for_each_slot() -> None:
    woken = Woken()
    slots = woken.slots
    slots.pod_changed(None, pod("p0"))
    runs = [RunKey("data", f"r{number:04}") for number in range(1000)]
    for run in runs:
        waits(slots, run, limit=1)
    for number, run in enumerate(runs):
        slots.pod_changed(pod(f"p{number}"), None)
        slots.grant(WORKFLOW, run, [f"p{number + 1}"])
        slots.planned(WORKFLOW, run, 1, wants=False, got=True)
        slots.pod_changed(None, pod(f"p{number + 1}"))
    assert woken == runs


def test_a_pod_that_had_ended_when_it_was_first_seen_needs_no_slot() -> None:
    woken = Woken()
    woken.slots.grant(WORKFLOW, RUN, ["a"])
    waits(woken.slots, OTHER)
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
        waits(slots, OTHER, key=WorkflowKey("data", one.workflow))
        slots.pod_changed(None, one)
        slots.pod_changed(one, None)
        slots.planned(WorkflowKey("data", one.workflow), OTHER, 1, wants=False, got=False)
    assert [len(part) for part in vars(slots).values() if isinstance(part, dict)] == [0, 0, 0, 0]
