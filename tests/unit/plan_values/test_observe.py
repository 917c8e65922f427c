"""Pods as the API gives them, and what the planner sees of each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.pod_bodies import at, condition, deleted, ended, main, pod, time
from windlass.plan.observe import observe
from windlass.plan.types import PodPhase, PodResult, PodView

DISRUPTED = condition("DisruptionTarget", "True", "EvictionByEvictionAPI", "Eviction API: evicting", 15)


def test_the_whole_view() -> None:
    body = pod(main("Succeeded", ended(0, message='{"rows": 3}')), {"activeDeadlineSeconds": 1})
    assert observe(body) == PodView(
        namespace="data",
        name="sales-1-load-1a2b3c4d-2",
        uid="pod-uid",
        version=812,
        workflow="sales",
        run="sales-1",
        run_uid="run-uid",
        task="load",
        attempt=2,
        phase=PodPhase.ENDED,
        created_at=time(0),
        started_at=time(10),
        finished_at=time(20),
        held=True,
        terminal=True,
        ending=True,
        node="n1",
        result=PodResult(
            None,
            "Completed",
            0,
            '{"rows": 3}',
            detail={"image": "python:3.12", "memoryLimit": "1Gi", "user": 65532, "node": "n1"},
        ),
    )


RUNNING = {"running": {"startedAt": at(10)}}
PROXY = {"containers": [{"name": "main"}, {"name": "proxy"}]}


def beside(state: dict[str, Any]) -> dict[str, Any]:
    """A pod whose task has ended, with a proxy in this state."""
    status = main("Running", ended(0))
    return {**status, "containerStatuses": [*status["containerStatuses"], {"name": "proxy", "state": state}]}


LINGERS = {
    "a container beside it runs": (pod(beside(RUNNING), PROXY), True),
    "a container beside it has never started": (pod(beside({"waiting": {"reason": "ImagePullBackOff"}}), PROXY), True),
    "nothing is known of a container beside it": (pod(main("Running", ended(0)), PROXY), True),
    "all have ended, and the pod is about to say so": (pod(beside(ended(0)), PROXY), False),
    "the pod has ended": (pod(main("Succeeded", ended(0)), PROXY), False),
    "the task runs still": (pod(main("Running", RUNNING), PROXY), False),
    "a native sidecar is being ended": (
        pod(main("Running", ended(0)), {"initContainers": [{"name": "proxy", "restartPolicy": "Always"}]}),
        False,
    ),
}


@pytest.mark.parametrize(("body", "lingers"), LINGERS.values(), ids=LINGERS.keys())
def test_what_lingers(body: dict[str, Any], lingers: bool) -> None:
    assert observe(body).lingers is lingers


WAITING = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x"'}}
NO_NODE = {"nodeName": None}
PHASES = {
    "no status at all": (pod({}, NO_NODE), PodPhase.UNSCHEDULED, False, ("", "")),
    "no status on a node": (pod({}), PodPhase.STARTING, False, ("", "")),
    "unschedulable": (
        pod(
            {"phase": "Pending", "conditions": [condition("PodScheduled", "False", "Unschedulable", "0/3 nodes")]},
            NO_NODE,
        ),
        PodPhase.UNSCHEDULED,
        False,
        ("Unschedulable", "0/3 nodes"),
    ),
    "scheduled": (
        pod({"phase": "Pending", "conditions": [condition("PodScheduled", "True")]}, NO_NODE),
        PodPhase.STARTING,
        False,
        ("", ""),
    ),
    "creating": (
        pod(main("Pending", {"waiting": {"reason": "ContainerCreating"}})),
        PodPhase.STARTING,
        False,
        ("ContainerCreating", ""),
    ),
    "volumes are not ready": (
        pod(
            main(
                "Pending",
                {"waiting": {"reason": "ContainerCreating"}},
                conditions=[condition("PodReadyToStartContainers", "False")],
            )
        ),
        PodPhase.STARTING,
        False,
        ("ContainerCreating", "the pod's volumes or its network are not ready"),
    ),
    "no image": (
        pod(main("Pending", WAITING)),
        PodPhase.STARTING,
        False,
        ("ImagePullBackOff", 'Back-off pulling image "x"'),
    ),
    "no image of an init container": (
        pod(
            main(
                "Pending",
                {"waiting": {"reason": "PodInitializing"}},
                initContainerStatuses=[{"name": "i", "state": WAITING}],
            )
        ),
        PodPhase.STARTING,
        False,
        ("ImagePullBackOff", 'Back-off pulling image "x"'),
    ),
    "running": (pod(main("Running", RUNNING)), PodPhase.RUNNING, False, ("", "")),
    "main ended, a sidecar runs": (pod(main("Running", ended(0))), PodPhase.ENDED, False, ("", "")),
    "main will be started again": (
        pod(main("Running", ended(1)), {"restartPolicy": "OnFailure"}),
        PodPhase.RUNNING,
        False,
        ("", ""),
    ),
    "only a sidecar has ended": (
        pod(
            {
                "phase": "Running",
                "containerStatuses": [{"name": "side", "state": ended(1)}, {"name": "main", "state": RUNNING}],
            }
        ),
        PodPhase.RUNNING,
        False,
        ("", ""),
    ),
    "terminal": (pod(main("Failed", ended(1))), PodPhase.ENDED, True, ("", "")),
    "evicted before it started": (pod({"phase": "Failed", "reason": "Evicted"}), PodPhase.ENDED, True, ("", "")),
    "deleted before it had a node": (
        pod({"phase": "Pending"}, NO_NODE, deletionTimestamp=at(30), deletionGracePeriodSeconds=0),
        PodPhase.ENDED,
        True,
        ("", ""),
    ),
}


@pytest.mark.parametrize(("body", "phase", "terminal", "waiting"), PHASES.values(), ids=PHASES.keys())
def test_phase(body: dict[str, Any], phase: PodPhase, terminal: bool, waiting: tuple[str, str]) -> None:
    view = observe(body)
    assert (view.phase, view.terminal, (view.waiting_reason, view.waiting_message)) == (phase, terminal, waiting)
    assert (view.result is not None) == (phase is PodPhase.ENDED)


def test_of_the_uptime_of_a_container_that_never_started() -> None:
    state = ended(128, "StartError")
    state["terminated"]["startedAt"] = "1970-01-01T00:00:00Z"
    assert observe(pod(main("Failed", state))).started_at is None


NODES = {
    "all is well": (main("Running", RUNNING, conditions=[condition("Ready", "True")]), {}, False),
    "not ready by its kubelet": (
        main("Running", RUNNING, conditions=[condition("Ready", "False", "ContainersNotReady")]),
        {},
        False,
    ),
    "not ready by the node controller": (
        main("Running", RUNNING, conditions=[condition("Ready", "False"), condition("ContainersReady", "True")]),
        {},
        True,
    ),
    "unknown": (main("Unknown", RUNNING), {}, True),
    "ready unknown": (main("Running", RUNNING, conditions=[condition("Ready", "Unknown", "NodeLost")]), {}, True),
    "node lost": (main("Running", RUNNING, reason="NodeLost"), {}, True),
    "deleted by the taint manager": (
        main("Running", RUNNING, conditions=[condition("DisruptionTarget", "True", "DeletionByTaintManager")]),
        deleted(18),
        True,
    ),
    "it had ended": (main("Failed", ended(1), reason="NodeLost"), {}, False),
}


@pytest.mark.parametrize(("status", "metadata", "lost"), NODES.values(), ids=NODES.keys())
def test_node_lost(status: dict[str, Any], metadata: dict[str, Any], lost: bool) -> None:
    assert observe(pod(status, **metadata)).node_lost is lost


def test_deletion_was_asked_for_a_grace_period_before_its_time() -> None:
    assert observe(pod(main("Running", RUNNING), **deleted(18))).deleting_since == time(18)


LABELS = pod()["metadata"]["labels"]
MALFORMED = {
    "no metadata": ({"spec": {}}, "pod (no name) is malformed: no 'metadata'"),
    "no object": ([], "pod (no name) is malformed: list indices must be integers or slices, not str"),
    "no run": (
        pod(labels={"windlass.dev/task": "x", "windlass.dev/run-uid": "u"}, ownerReferences=[]),
        "pod data/sales-1-load-1a2b3c4d-2 is malformed: no 'windlass.dev/run'",
    ),
    "attempt is no number": (
        pod(labels={**LABELS, "windlass.dev/attempt": "x"}),
        "pod data/sales-1-load-1a2b3c4d-2 is malformed: invalid literal for int() with base 10: 'x'",
    ),
    "attempt 0": (
        pod(labels={**LABELS, "windlass.dev/attempt": "0"}),
        "pod data/sales-1-load-1a2b3c4d-2 is malformed: attempt 0 is below 1",
    ),
    "a grace period beyond any calendar": (
        pod(deletionTimestamp=at(30), deletionGracePeriodSeconds=10**15),
        "pod data/sales-1-load-1a2b3c4d-2 is malformed: Python int too large to convert to C int",
    ),
    "no owner": (pod(ownerReferences=[]), "pod data/sales-1-load-1a2b3c4d-2 is malformed: no WorkflowRun owns it"),
}


@pytest.mark.parametrize(("body", "told"), MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed(body: Any, told: str) -> None:
    with pytest.raises(ValueError, match="malformed") as caught:
        observe(body)
    assert str(caught.value) == told


JUNK = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.lists(st.none(), max_size=2)
    | st.just({"a": 1})
)
COMPLETE = pod(
    {
        **main("Failed", ended(1), reason="Evicted", conditions=[DISRUPTED]),
        "initContainerStatuses": [{"name": "i", "state": WAITING}],
    },
    {"initContainers": [{"name": "i"}]},
    **deleted(18),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in children for place in places(child, (*path, key)))]


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(places(COMPLETE)[1:]), JUNK)
def test_any_junk_is_read_or_quarantined(place: tuple[Any, ...], junk: Any) -> None:
    body = json.loads(json.dumps(COMPLETE))
    parent = body
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = junk
    try:
        view = observe(body)
    except ValueError as error:
        assert "is malformed" in str(error)
    else:
        assert isinstance(view, PodView)
