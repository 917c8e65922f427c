"""What is done to a cluster around an installation: the definitions before it, the pods that would wait after it."""

from __future__ import annotations

from typing import Any

import pytest

from support.cli import FakeCluster, invoke
from windlass.errors import Forbidden
from windlass.models import crd
from windlass.names import RESULT_FINALIZER

FREE = {"$deleteFromPrimitiveList/finalizers": [RESULT_FINALIZER]}
DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {"name": "windlass", "namespace": "system"},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "windlass"}}},
}


def pod(name: str, *finalizers: str, namespace: str = "data") -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "uid": f"uid-{name}"}
    return {"kind": "Pod", "metadata": metadata | ({"finalizers": list(finalizers)} if finalizers else {})}


KINDS = tuple(crd.definitions())


def lines(done: str, names: tuple[str, ...] = KINDS) -> str:
    return "".join(f"customresourcedefinition/{name}.windlass.dev {done}\n" for name in names)


def test_definitions_are_made_then_left_then_brought_up_to_date() -> None:
    cluster = FakeCluster()
    assert invoke(cluster, "crds", "--apply").stdout == lines("created")
    assert [body for _, _, body in cluster.changes] == list(crd.definitions().values())
    assert invoke(cluster, "crds", "--apply").stdout == lines("unchanged")
    cluster.objects["customresourcedefinitions", "", "workflows.windlass.dev"]["spec"] = {"old": True}
    assert invoke(cluster, "crds", "--apply").stdout == lines("updated", KINDS[:1]) + lines("unchanged", KINDS[1:])


def test_definitions_whose_names_are_taken_are_told() -> None:
    cluster = FakeCluster()
    invoke(cluster, "crds", "--apply")
    refused = {"type": "NamesAccepted", "status": "False", "message": '"wlr" is already in use'}
    cluster.objects["customresourcedefinitions", "", "workflowruns.windlass.dev"]["status"] = {"conditions": [refused]}
    result = invoke(cluster, "crds", "--apply")
    assert (result.exit_code, result.stderr) == (
        1,
        'windlass: workflowruns.windlass.dev can\'t be served: "wlr" is already in use\n',
    )


def test_definitions_that_are_not_served_in_time_are_told() -> None:
    cluster = FakeCluster()
    invoke(cluster, "crds", "--apply")
    cluster.objects["customresourcedefinitions", "", "workflows.windlass.dev"]["status"] = {}
    result = invoke(cluster, "crds", "--apply", "--timeout", "1s")
    assert (result.exit_code, result.stderr) == (
        1,
        "windlass: the API server does not serve the definitions after 1 s\n",
    )


def test_what_may_not_be_applied_is_told_in_one_line() -> None:
    result = invoke(FakeCluster(answer=Forbidden("customresourcedefinitions is forbidden", 403)), "crds", "--apply")
    assert (result.exit_code, result.stderr) == (
        1,
        "windlass: not allowed: customresourcedefinitions is forbidden (ask an administrator for the right)\n",
    )


def test_the_controller_is_stopped_before_pods_are_freed() -> None:
    cluster = FakeCluster().add(DEPLOYMENT, pod("held", RESULT_FINALIZER), pod("free"), pod("other", "example.com/x"))
    result = invoke(cluster, "uninstall", "windlass", "-n", "system")
    assert result.stdout == "deployment system/windlass stopped\n1 pod freed\n"
    assert cluster.changes == [
        ("patch", "windlass", {"spec": {"replicas": 0}}),
        ("patch", "held", {"metadata": {"uid": "uid-held", **FREE}}),
    ]


def test_nothing_is_freed_while_the_controller_runs() -> None:
    running = pod("windlass-1", namespace="system")
    cluster = FakeCluster().add(DEPLOYMENT, running, pod("held", RESULT_FINALIZER))
    result = invoke(cluster, "uninstall", "windlass", "-n", "system", "--timeout", "1s")
    assert (result.exit_code, result.stderr) == (
        124,
        "windlass: the controller has not ended after 1 s; nothing was freed\n",
    )
    assert [change[1] for change in cluster.changes] == ["windlass"]


PLACES = {
    "all": ((), ["a", "b", "c"]),
    "one namespace": (("--runs-in", "one"), ["a"]),
    "two namespaces": (("--runs-in", "one", "--runs-in", "two"), ["a", "b"]),
}


@pytest.mark.parametrize(("options", "freed"), PLACES.values(), ids=PLACES.keys())
def test_only_what_was_named_is_freed(options: tuple[str, ...], freed: list[str]) -> None:
    places = {"a": "one", "b": "two", "c": "three"}
    cluster = FakeCluster().add(*(pod(name, RESULT_FINALIZER, namespace=place) for name, place in places.items()))
    result = invoke(cluster, "uninstall", *options)
    assert result.exit_code == 0, result.stderr
    assert [change[1] for change in cluster.changes] == freed


def test_a_controller_that_is_gone_keeps_no_pod_held() -> None:
    cluster = FakeCluster().add(pod("held", RESULT_FINALIZER))
    result = invoke(cluster, "uninstall", "windlass", "-n", "system")
    assert result.stdout == "deployment system/windlass is gone already\n1 pod freed\n"
