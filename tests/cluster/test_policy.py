"""The chart's admission policies on a real API server: they refuse what the controller refuses, with the same words."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from support.chart import of, render
from support.clusters import Cluster, task
from support.controller import Controller
from support.kubectl import kubectl, objects
from support.policy_cases import CASES, PolicyCase, usual_pod, with_field
from windlass.build.policy import read_policies

pytestmark = pytest.mark.cluster
Body = dict[str, Any]
KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
ADMISSION = "app.kubernetes.io/component=admission"


@pytest.fixture(scope="module")
def user(kubeconfig: object) -> Iterator[str]:
    """A namespace, named like the release of the chart that the policies are of; its `ctl` may create pods there."""
    name = f"windlass-policy-{uuid.uuid4().hex[:6]}"
    kubectl("create", "namespace", name)
    kubectl("create", "serviceaccount", "ctl", "-n", name)
    kubectl("create", "rolebinding", "ctl", "--clusterrole=admin", f"--serviceaccount={name}:ctl", "-n", name)
    kubectl("create", "serviceaccount", "etl", "-n", name)
    yield name
    for kind in KINDS:
        kubectl("delete", kind, "-l", f"{ADMISSION},app.kubernetes.io/instance={name}")
    kubectl("delete", "namespace", name, "--wait=false")


def install(user: str, policies: list[Body], **admission: bool) -> None:
    values = {"admission": admission, "policy": {"pods": policies}, "serviceAccount": {"create": False, "name": "ctl"}}
    manifests = render(values, release=user, namespace=user)
    found = [one for kind in KINDS for one in of(manifests, kind)]
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": found}))


def create(user: str, pod: Body) -> str:
    """Try to create the pod as the controller would; what is said against it."""
    pod = deepcopy(pod)
    pod["metadata"] |= {"namespace": user, "ownerReferences": []}
    command = ["kubectl", "create", "-f", "-", "--dry-run=server", f"--as=system:serviceaccount:{user}:ctl"]
    done = subprocess.run(command, input=json.dumps(pod), capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def settled(user: str, pod: Body, words: str) -> None:
    """Policies are at work a moment after they were made."""
    end = time.monotonic() + 120
    while words not in (said := create(user, pod)):
        assert time.monotonic() < end, f"{words!r} is not said, but {said!r}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def installed(user: str) -> dict[str, str]:
    """The policies of all cases, each for namespaces with a label of its own; what the policy of a case is called."""
    texts = {name: json.dumps(case.policy, sort_keys=True) for name, case in CASES.items()}
    called = {text: f"p{number}" for number, text in enumerate(dict.fromkeys(texts.values()))}
    policies = [
        {"name": name, "namespaceSelector": {"matchLabels": {"case": name}}, **json.loads(text)}
        for text, name in called.items()
    ]
    install(user, policies, fencing=False, pods=True)
    return {name: called[text] for name, text in texts.items()}


@pytest.mark.parametrize("name", CASES)
def test_cluster_and_controller_say_the_same(user: str, installed: dict[str, str], name: str) -> None:
    case: PolicyCase = CASES[name]
    policy = read_policies({"policies": [{"name": installed[name], **case.policy}]})[0]
    pod = with_field(usual_pod(), case.path, case.value)
    kubectl("label", "namespace", user, f"case={installed[name]}", "--overwrite")
    settled(user, with_field(usual_pod(), "spec.schedulerName", "never"), f'policy "{installed[name]}" refuses')
    said, ours = create(user, pod), policy.refusals(pod)
    assert bool(said) == bool(ours), said
    for one in ours:
        assert one in said


def pod_of_term(term: str | None) -> Body:
    pod = usual_pod()
    pod["metadata"]["annotations"] = {} if term is None else {"windlass.dev/term": term}
    return pod


def test_fencing_refuses_what_an_older_term_sends(user: str) -> None:
    install(user, [], fencing=True, pods=True)
    binding = of(render(release=user, namespace=user), KINDS[1], f"{user}-{user}-fencing")[0]
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": binding["spec"]["paramRef"]["name"], "namespace": user},
        "spec": {"holderIdentity": "b", "leaseTransitions": 7},
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(lease))
    words = f"the pod is from an older term of the lease {lease['metadata']['name']}"
    settled(user, pod_of_term("6"), words)
    verdicts = {term: words in create(user, pod_of_term(term)) for term in ("6", "7", "8", "x", None)}
    assert verdicts == {"6": True, "7": False, "8": False, "x": True, None: True}


@pytest.fixture
def policed(controller: Controller, kubeconfig: Path, namespace: str, tmp_path: Path) -> Iterator[Cluster]:
    """A controller with a policy, in the place of the session's own."""
    policies = {
        "policies": [{"name": "usual"}, {"name": "other", "namespaceSelector": {"matchLabels": {"other": "x"}}}]
    }
    file = tmp_path / "policies.yaml"
    file.write_text(json.dumps(policies))
    controller.stop()
    own = Controller(kubeconfig, namespace, tmp_path / "log", ("--lease-name", "policed", "--policy", str(file)))
    try:
        own.start()
        yield Cluster(kubeconfig, namespace)
    finally:
        own.stop()
        print(own.log.read_text()[-4000:])
        controller.start()


def test_a_task_that_is_refused_says_which_rule_and_whose(policed: Cluster) -> None:
    template = {"spec": {"hostNetwork": True, "shareProcessNamespace": True}}
    policed.start("refused", {"tasks": [{"name": "a", "script": "true", "podTemplate": template}]})
    status = policed.ended("refused")
    (attempt,) = task(status, "a")["attempts"]
    assert (status["phase"], attempt["class"], attempt["reason"]) == ("Failed", "Launch", "Forbidden")
    assert attempt["message"] == (
        'the admin\'s policy "usual" refuses spec.shareProcessNamespace: its rule fields does not allow it; '
        'the admin\'s policy "usual" refuses hostNetwork: its rule hostNamespaces does not allow it'
    )
    assert "ask the admin" in attempt["hint"]
    assert objects("pods", policed.namespace, "-l", "windlass.dev/run=refused") == []
