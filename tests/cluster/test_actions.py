"""Who may act on a run, on a real API server: the chart's policy for RunActions and its roles, one user at a time.

The tasks are approvals and joins: no pod is needed.
"""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.chart import of, render
from support.clusters import Cluster, phases
from support.controller import Controller
from support.kubectl import kubectl
from windlass.engine.trust import REFUSAL

pytestmark = pytest.mark.cluster
Body = dict[str, Any]
KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
WITHIN = 60.0
APPROVAL: Body = {"tasks": [{"name": "ask", "approval": {"message": "Release?"}}]}


@dataclass
class Place:
    """A namespace with a controller that believes what the policy of a release lets through."""

    namespace: str
    kubeconfig: Path
    directory: Path

    @property
    def cluster(self) -> Cluster:
        """As an administrator."""
        return Cluster(self.kubeconfig, self.namespace)

    def user(self, name: str) -> str:
        """What the API server calls a service account."""
        return f"system:serviceaccount:{self.namespace}:{name}"

    def as_user(self, name: str) -> Cluster:
        """The cluster as this service account has it."""
        config = json.loads(kubectl("config", "view", "--minify", "--raw", "-o", "json"))
        config["users"][0]["user"] = {"token": kubectl("create", "token", name, "-n", self.namespace).strip()}
        file = self.directory / f"{name}.kubeconfig"
        file.write_text(json.dumps(config))
        return Cluster(file, self.namespace)

    def create(self, user: str, **spec: Any) -> str:
        """Try to create an action as this user; what is said against it."""
        action = {
            "apiVersion": "windlass.dev/v1alpha1",
            "kind": "RunAction",
            "metadata": {"generateName": "try-", "namespace": self.namespace},
            "spec": {"run": "some", "verb": "Retry", "requestedBy": self.user(user), **spec},
        }
        command = ["kubectl", "create", "-f", "-", "--dry-run=server", f"--as={self.user(user)}"]
        done = subprocess.run(command, input=json.dumps(action), capture_output=True, text=True, check=False)
        return done.stderr if done.returncode else ""

    def start(self, name: str, spec: Body = APPROVAL) -> None:
        """A run whose approval waits."""
        self.cluster.start(name, spec)
        self.cluster.until(name, lambda status: phases(status).get("ask") == "Running", WITHIN)


USERS = {
    "operator": ["windlass-operator"],
    "approver": ["windlass-approver"],
    "viewer": ["windlass-view"],
    "both": ["windlass-operator", "windlass-approver"],
}


@pytest.fixture(scope="module")
def place(controller: Controller, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    name = f"windlass-acts-{uuid.uuid4().hex[:6]}"
    kubectl("create", "namespace", name)
    roles = [one for one in of(render(release=name, namespace=name), "ClusterRole") if _is_for_users(one)]
    apply(roles)
    for user, bound in USERS.items():
        kubectl("create", "serviceaccount", user, "-n", name)
        for role in bound:
            binding = ["create", "rolebinding", f"{user}-{role}", f"--clusterrole={role}"]
            kubectl(*binding, f"--serviceaccount={name}:{user}", "-n", name)
    directory = tmp_path_factory.mktemp("actions")
    place = Place(name, kubeconfig, directory)
    controller.stop()
    own = Controller(
        kubeconfig, name, directory / "log", ("--lease-name", "actions", "--actions-policy", policy_name(name))
    )
    try:
        own.start()
        yield place
    finally:
        own.stop()
        print(own.log.read_text()[-6000:])
        controller.start()
        for kind in (*KINDS, "ClusterRole"):
            kubectl("delete", kind, "-l", f"app.kubernetes.io/instance={name}")
        kubectl("delete", "namespace", name, "--wait=false")


def _is_for_users(role: Body) -> bool:
    return bool(role["metadata"]["labels"]["app.kubernetes.io/component"] == "users")


def policy_name(release: str) -> str:
    """The name of the policy, as the chart gives it to the controller."""
    (container,) = of(render(release=release, namespace=release), "Deployment")[0]["spec"]["template"]["spec"][
        "containers"
    ]
    (argument,) = [one for one in container["args"] if one.startswith("--actions-policy=")]
    return str(argument.partition("=")[2])


def apply(manifests: list[Body]) -> None:
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))


def install_policy(place: Place) -> None:
    """Have the policy at work, for as long as the controller wants to believe it."""
    manifests = render(release=place.namespace, namespace=place.namespace)
    found = [
        one for kind in KINDS for one in of(manifests, kind) if one["metadata"]["name"] == policy_name(place.namespace)
    ]
    apply(found)
    end = time.monotonic() + 120
    while "is Retry" not in place.create("operator", requestedBy="is Retry"):
        assert time.monotonic() < end, "the policy is not at work"
        time.sleep(0.3)
    time.sleep(12)


def test_without_the_policy_nothing_is_believed_and_nothing_older_than_it(place: Place) -> None:
    place.start("early")
    said = place.as_user("approver").windlass("approve", "early")
    assert (said.code, said.err.strip()) == (1, f"windlass: refused: {REFUSAL}")
    waits = {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "RunAction",
        "metadata": {"name": "waits", "namespace": place.namespace},
        "spec": {"run": "later", "verb": "Terminate", "requestedBy": "the king"},
    }
    kubectl("create", "-f", "-", stdin=json.dumps(waits))
    install_policy(place)
    place.start("later")
    status = json.loads(kubectl("get", "runaction", "waits", "-n", place.namespace, "-o", "json"))["status"]
    assert (status["phase"], status["message"]) == ("Refused", REFUSAL)
    said = place.as_user("approver").windlass("approve", "early", "--reason", "fine")
    assert said.code == 0, said.all
    ended = place.cluster.ended("early", WITHIN)
    (record,) = ended["actions"]
    assert (record["by"], record["reason"], record.get("unverified")) == (place.user("approver"), "fine", None)
    assert ended["tasks"][0]["outputs"] == {"approvedBy": place.user("approver")}


def test_nobody_acts_in_another_s_name(place: Place) -> None:
    install_policy(place)
    said = place.create("operator", requestedBy=place.user("approver"))
    assert (
        f"spec.requestedBy is {place.user('approver')}, and you are {place.user('operator')}: an action is asked "
        "for in one's own name" in said
    )
    said = place.create("operator", requestedGroups=["system:masters"])
    assert f"spec.requestedGroups names a group that {place.user('operator')} is not in" in said
    assert place.create("operator", requestedGroups=[f"system:serviceaccounts:{place.namespace}"]) == ""


VERBS = {
    "Retry": {},
    "Clear": {"tasks": ["a"]},
    "Skip": {"tasks": ["a"]},
    "MarkSuccess": {"tasks": ["a"]},
    "MarkFailed": {"tasks": ["a"], "reason": "so"},
    "Suspend": {},
    "Resume": {},
    "Cancel": {},
    "Terminate": {},
    "Approve": {},
    "Reject": {},
}
ANSWERS = ("Approve", "Reject")


def test_each_role_may_do_what_it_is_for(place: Place) -> None:
    install_policy(place)
    may = {
        (user, verb): place.create(user, verb=verb, **fields) == "" for user in USERS for verb, fields in VERBS.items()
    }
    assert may == {
        (user, verb): user == "both" or (user == "approver" if verb in ANSWERS else user == "operator")
        for user in USERS
        for verb in VERBS
    }
    said = place.create("operator", verb="Approve")
    assert f"{place.user('operator')} may not approve the run some: it takes the verb approve on workflowruns" in said


def test_a_right_may_be_for_one_run(place: Place) -> None:
    install_policy(place)
    kubectl("create", "serviceaccount", "one", "-n", place.namespace)
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "one", "namespace": place.namespace},
        "rules": [
            {"apiGroups": ["windlass.dev"], "resources": ["runactions"], "verbs": ["create"]},
            {
                "apiGroups": ["windlass.dev"],
                "resources": ["workflowruns"],
                "resourceNames": ["some"],
                "verbs": ["approve"],
            },
        ],
    }
    apply([role])
    kubectl(
        "create", "rolebinding", "one", "--role=one", f"--serviceaccount={place.namespace}:one", "-n", place.namespace
    )
    assert place.create("one", verb="Approve", run="some") == ""
    assert "may not approve the run other" in place.create("one", verb="Approve", run="other")


def test_what_a_person_is_told(place: Place) -> None:
    """By the command: by who may not, by who may, and twice."""
    install_policy(place)
    place.start("told")
    said = place.as_user("operator").windlass("approve", "told")
    assert (said.code, "may not approve the run told" in said.err) == (1, True), said.all
    approver = place.as_user("approver")
    foreseen = approver.windlass("reject", "told", "--dry-run")
    assert foreseen.out.splitlines()[1:] == ["  ask: Running → Failed"], foreseen.all
    said = approver.windlass("reject", "told", "--reason", "too early")
    words = f"ask was rejected by {place.user('approver')}: too early"
    assert (said.code, said.out) == (0, f"workflowrun.windlass.dev/told: {words}\n"), said.all
    assert place.cluster.ended("told", WITHIN)["phase"] == "Failed"
    again = approver.windlass("approve", "told")
    assert (again.code, again.err) == (1, "windlass: refused: the run has ended already: Failed\n")
    retried = place.as_user("operator").windlass("retry", "told")
    assert (retried.code, retried.out) == (0, "workflowrun.windlass.dev/told: runs again: 1 task: ask\n"), retried.all
    place.cluster.until("told", lambda status: phases(status).get("ask") == "Running", WITHIN)
    cancelled = place.as_user("operator").windlass("cancel", "told")
    assert cancelled.code == 0, cancelled.all
    assert place.cluster.ended("told", WITHIN)["phase"] == "Cancelled"
    history = [record["verb"] for record in place.cluster.status("told")["actions"]]
    assert history == ["Reject", "Retry", "Cancel"]


CHANGES: dict[str, Body] = {
    "the verb": {"verb": "Reject"},
    "the values": {"values": {"a": 2}},
    "a value more": {"values": {"a": 1, "b": 1}},
    "the author": {"requestedBy": "somebody"},
    "a task more": {"tasks": ["ask", "other"]},
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_action_never_changes(place: Place, change: str) -> None:
    name = f"fixed-{uuid.uuid4().hex[:6]}"
    spec = {"run": "not-there", "verb": "Approve", "values": {"a": 1}, "tasks": ["ask"]}
    user = json.loads(kubectl("auth", "whoami", "-o", "json"))["status"]["userInfo"]["username"]
    action = {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "RunAction",
        "metadata": {"name": name, "namespace": place.namespace},
        "spec": {**spec, "requestedBy": user},
    }
    kubectl("create", "-f", "-", stdin=json.dumps(action))
    command = ["kubectl", "patch", "runaction", name, "-n", place.namespace, "--type=merge"]
    done = subprocess.run(
        [*command, "-p", json.dumps({"spec": CHANGES[change]})], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "an action can't be changed: create another one" in done.stderr) == (1, True), done.stderr
