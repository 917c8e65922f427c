"""A real API server takes the custom resource definitions, and says of every object of the tables what we say."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from support.bad import Bad
from support.bad_objects import BAD
from support.objects import CHANGES, GOOD, Change, Manifest, run, thousand_tasks
from windlass.models import crd
from windlass.models.rules import RULES

pytestmark = pytest.mark.cluster
NAMESPACE = "windlass-models"
CRDS = Path(__file__).parents[2] / "crds"


class Server:
    """The API server, by raw requests: what it answers is what is tested."""

    def __init__(self) -> None:
        settings = client.Configuration()
        config.load_kube_config(client_configuration=settings)
        self._api = client.ApiClient(settings)

    def request(self, verb: str, path: str, body: Any = None, **query: str) -> tuple[int, dict[str, Any]]:
        """The status and the body of the answer."""
        parts = self._api.param_serialize(
            verb,
            path,
            query_params=[*query.items()],
            header_params={"Content-Type": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        answer = self._api.call_api(*parts)
        return answer.status, json.loads(answer.read())

    def create(self, manifest: Manifest, **query: str) -> tuple[int, dict[str, Any]]:
        return self.request("POST", _collection(manifest), manifest, fieldValidation="Strict", **query)


def _collection(manifest: Manifest) -> str:
    return f"/apis/windlass.dev/v1alpha1/namespaces/{NAMESPACE}/{manifest['kind'].lower()}s"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    kubectl("apply", "-f", str(CRDS))
    names = [definition["metadata"]["name"] for definition in crd.definitions().values()]
    kubectl("wait", "--for=condition=Established", "--timeout=30s", *(f"crd/{name}" for name in names))
    kubectl("create", "namespace", NAMESPACE)
    yield Server()
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def kubectl(*arguments: str) -> str:
    program = shutil.which("kubectl")
    assert program, "kubectl is not on the PATH"
    done = subprocess.run([program, *arguments], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("manifest", GOOD.values(), ids=GOOD.keys())
def test_good_objects_are_accepted(server: Server, manifest: Manifest) -> None:
    status, answer = server.create(manifest, dryRun="All")
    assert status == 201, answer["message"]


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_objects_are_refused_in_the_words_of_the_table(server: Server, bad: Bad) -> None:
    status, answer = server.create(bad.manifest, dryRun="All")
    assert status in (400, 422), answer
    assert bad.server_says in answer["message"]


def test_every_rule_has_a_bad_object_or_change() -> None:
    said = {bad.server_says for bad in BAD.values()} | {change.refused for change in CHANGES.values()} - {""}
    messages = [rule.message for rules in RULES.values() for rule in rules]
    assert [message for message in messages if not any(words in message for words in said)] == []


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_changes(server: Server, change: Change) -> None:
    status, old = server.create(change.old)
    assert status == 201, old["message"]
    path = f"{_collection(change.old)}/{change.old['metadata']['name']}"
    try:
        new = {**change.new, "metadata": old["metadata"]}
        status, answer = server.request("PUT", path, new, dryRun="All", fieldValidation="Strict")
    finally:
        server.request("DELETE", path)
    assert status == (422 if change.refused else 200), answer
    assert change.refused in answer.get("message", "")


def test_a_workflow_of_1000_tasks_is_accepted(server: Server) -> None:
    status, answer = server.create(thousand_tasks(), dryRun="All")
    assert status == 201, answer["message"]


def test_the_server_writes_the_defaults_that_are_marked_and_no_others(server: Server) -> None:
    manifest = {**GOOD["a workspace of defaults"]}
    manifest["spec"] = {**manifest["spec"], "source": {"git": {"repo": "r"}}}
    _, answer = server.create(manifest, dryRun="All")
    git = {"repo": "r", "ref": "HEAD", "mountPath": "/workspace/src", "depth": 1, "submodules": "Recursive"}
    git["period"] = "10s"
    space = {"size": "1Gi", "mountPath": "/workspace/data", "accessModes": ["ReadWriteOnce"], "keep": "Never"}
    assert answer["spec"] == {"tasks": [{"name": "a", "script": "true"}], "source": {"git": git}, "workspace": space}


def test_a_definition_is_small_enough_for_kubectl_apply(server: Server) -> None:
    for name in crd.definitions():
        kept = kubectl("get", "crd", f"{name}.windlass.dev", "-o", "json")
        annotations = json.loads(kept)["metadata"]["annotations"]
        assert len(annotations["kubectl.kubernetes.io/last-applied-configuration"]) < 200_000


def test_the_server_finds_nothing_wrong_with_the_schemas(server: Server) -> None:
    for name in crd.definitions():
        conditions = json.loads(kubectl("get", "crd", f"{name}.windlass.dev", "-o", "json"))["status"]["conditions"]
        states = {condition["type"]: condition["status"] for condition in conditions}
        assert (states["Established"], states.get("NonStructuralSchema", "False")) == ("True", "False")


def test_kubectl_explains_the_fields(server: Server) -> None:
    assert "direct upstream tasks" in kubectl("explain", "workflows.windlass.dev.spec.tasks.dependsOn")
    assert "goes from nothing to Cancel" in " ".join(kubectl("explain", "wlr.spec.stop").split())


def test_columns_and_category(server: Server) -> None:
    _, old = server.create({**GOOD["a run by reference"], "metadata": {"name": "columns"}})
    status = {
        "phase": "Running", "progress": "3/7", "workflow": "w", "message": "load is running", "duration": "1m20s",
        "slot": "20250401t1700",
    }  # fmt: skip
    path = f"{_collection(old)}/columns"
    code, answer = server.request("PUT", f"{path}/status", {**old, "status": status})
    assert code == 200, answer
    wide = kubectl("get", "windlass", "-n", NAMESPACE, "-o", "wide").splitlines()
    server.request("DELETE", path)
    assert wide[0].split() == ["NAME", "WORKFLOW", "PHASE", "PROGRESS", "STARTED", "DURATION", "SLOT", "MESSAGE"]
    assert " ".join(wide[1].split()).endswith("w Running 3/7 1m20s 20250401t1700 load is running")


IN_A_DEFINITION = {rule.message for model in ("WorkflowSpec", "Task") for rule in RULES[model]}
EMBEDDED = {
    name: bad for name, bad in BAD.items() if bad.says in IN_A_DEFINITION and bad.manifest["kind"] == "Workflow"
}


@pytest.mark.parametrize("bad", EMBEDDED.values(), ids=EMBEDDED.keys())
def test_a_runs_own_definition_has_the_same_rules(server: Server, bad: Bad) -> None:
    status, answer = server.create(run(workflowSpec=bad.manifest["spec"]), dryRun="All")
    assert (status, bad.says in answer["message"]) == (422, True), answer


def test_a_run_of_1000_tasks_keeps_no_field_owners_and_takes_its_status(server: Server) -> None:
    manifest = run("thousand", workflowSpec=thousand_tasks()["spec"])
    status, answer = server.create(manifest)
    assert status == 201, answer["message"]
    path = f"{_collection(manifest)}/thousand"
    done = [{"name": f"task-{n:04}", "phase": "Succeeded"} for n in range(1000)]
    status, answer = server.request("PUT", f"{path}/status", {**answer, "status": {"phase": "Running", "tasks": done}})
    server.request("DELETE", path)
    assert status == 200, answer
    assert len(json.dumps(answer["metadata"]["managedFields"])) < 2000
