"""What the chart makes, for every choice: objects that Kubernetes takes, that fit each other, and no right too many."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from support.chart import CHART, NAMESPACE, RELEASE, VARIANTS, Manifest, helm, is_hook, of, pod_specs, render
from support.kubernetes_schema import complaints
from windlass import __version__, names
from windlass.build.meta import run_labels
from windlass.cli.main import cli
from windlass.models import crd
from windlass.models.parse import check

RENDERED: dict[str, list[Manifest]] = {}
OWN_KINDS = ("WorkflowRun",)
OPERATORS_KINDS = ("ServiceMonitor", "PrometheusRule")
CLUSTER_WIDE = (
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
)


@pytest.fixture(params=VARIANTS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    """The chart rendered for each variant."""
    if request.param not in RENDERED:
        RENDERED[request.param] = render(VARIANTS[request.param])
    return RENDERED[request.param]


@pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS)
def test_lint(values: dict[str, Any]) -> None:
    done = helm("lint", "--strict", str(CHART), values=values)
    assert done.returncode == 0, done.stdout + done.stderr


def test_kubernetes_knows_every_field(manifests: list[Manifest]) -> None:
    ours = [one for one in manifests if one["kind"] in OWN_KINDS]
    known = [one for one in manifests if one["kind"] not in OWN_KINDS + OPERATORS_KINDS]
    assert [found for one in known for found in complaints(one)] == []
    assert [str(found) for one in ours for found in check(one)] == []


def test_a_field_that_does_not_exist_is_found() -> None:
    (deployment,) = of(render(), "Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["resource"] = {}
    (found,) = complaints(deployment)
    assert "Additional properties are not allowed ('resource' was unexpected)" in found


def test_every_object_says_what_it_belongs_to(manifests: list[Manifest]) -> None:
    for one in manifests:
        meta = one["metadata"]
        labels = meta["labels"]
        assert {labels["app.kubernetes.io/instance"], labels["app.kubernetes.io/managed-by"]} == {RELEASE, "Helm"}
        assert labels["app.kubernetes.io/version"] == __version__
        assert ("namespace" in meta) == (one["kind"] not in CLUSTER_WIDE)
        assert len(meta["name"]) <= names.MAX_NAME


def test_no_object_is_made_twice(manifests: list[Manifest]) -> None:
    keys = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in manifests]
    assert sorted(keys, key=str) == sorted(set(keys), key=str)


def test_the_definitions_are_no_part_of_the_release(manifests: list[Manifest]) -> None:
    assert of(manifests, "CustomResourceDefinition") == []
    assert not (CHART / "crds").exists()


def selectors(manifests: list[Manifest]) -> list[dict[str, str]]:
    """How the objects say which pods are the controller's."""
    found = [one["spec"]["selector"] for one in of(manifests, "Service")]
    found += [one["spec"]["selector"]["matchLabels"] for one in of(manifests, "PodDisruptionBudget")]
    found += [one["spec"]["podSelector"]["matchLabels"] for one in of(manifests, "NetworkPolicy")]
    found += [one["spec"]["selector"]["matchLabels"] for one in of(manifests, "Deployment")]
    return found


def test_selectors_mean_the_controllers_pods_and_no_others(manifests: list[Manifest]) -> None:
    pods = {name: one["metadata"]["labels"] for name, one in pod_specs(manifests).items()}
    # A run may be called like the release, in the release's namespace.
    pods["a task"] = run_labels("windlass", RELEASE, "uid") | {names.LABEL_COMPONENT: "task"}
    for selector in selectors(manifests):
        meant = [name for name, labels in pods.items() if selector.items() <= labels.items()]
        assert [name.partition("/")[0] for name in meant] == ["Deployment"]


def test_every_pod_is_restricted_and_bounded(manifests: list[Manifest]) -> None:
    for pod in pod_specs(manifests).values():
        spec = pod["spec"]
        context = spec["securityContext"]
        assert (context["runAsNonRoot"], context["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        kinds = [{"name", "emptyDir"}, *([{"name", "configMap"}] if len(spec["volumes"]) > 1 else [])]
        assert [set(volume) for volume in spec["volumes"]] == kinds
        for container in [*spec.get("initContainers", ()), *spec["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]


def test_bindings_bind_what_there_is(manifests: list[Manifest]) -> None:
    accounts = {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in of(manifests, "ServiceAccount")}
    accounts.add((NAMESPACE, "default"))
    for binding in of(manifests, "RoleBinding") + of(manifests, "ClusterRoleBinding"):
        role = binding["roleRef"]
        (found,) = of(manifests, role["kind"], role["name"])[:1] or [None]
        assert found is not None, role
        places = [one["metadata"].get("namespace") for one in of(manifests, role["kind"], role["name"])]
        assert role["kind"] == "ClusterRole" or binding["metadata"]["namespace"] in places
        assert {(one["namespace"], one["name"]) for one in binding["subjects"]} <= accounts
        assert is_hook(binding) == is_hook(found)


def test_pods_use_accounts_that_there_are(manifests: list[Manifest]) -> None:
    accounts = {one["metadata"]["name"] for one in of(manifests, "ServiceAccount")} | {"default"}
    assert {pod["spec"]["serviceAccountName"] for pod in pod_specs(manifests).values()} <= accounts


def test_no_right_is_given_that_is_not_spelled_out(manifests: list[Manifest]) -> None:
    for role in of(manifests, "Role") + of(manifests, "ClusterRole"):
        for rule in role["rules"]:
            assert set(rule) <= {"apiGroups", "resources", "verbs", "resourceNames"}
            words = [word for key in ("apiGroups", "resources", "verbs") for word in rule[key]]
            assert not {"*", "secrets", "escalate", "bind"} & set(words)
            if "impersonate" in rule["verbs"]:
                assert rule == {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]}


def test_the_right_to_act_as_service_accounts_can_be_left_out() -> None:
    given = {
        on: [
            rule["verbs"]
            for role in of(render({"rbac": {"impersonate": on}}), "ClusterRole")
            for rule in role["rules"]
            if "serviceaccounts" in rule["resources"]
        ]
        for on in (True, False)
    }
    assert given == {True: [["impersonate"]], False: []}


def test_what_is_run_are_commands_that_there_are(manifests: list[Manifest]) -> None:
    for name, pod in pod_specs(manifests).items():
        (container,) = pod["spec"]["containers"]
        command, *arguments = container["args"]
        found = cli.get_command(None, command)  # type: ignore[arg-type]
        assert found is not None, name
        found.make_context(command, list(arguments))  # a usage error where they don't fit


def test_hooks_are_in_order(manifests: list[Manifest]) -> None:
    """Before the Job of an event stands what it needs, and all of it goes when it succeeded."""
    annotations = [(one, one["metadata"]["annotations"]) for one in manifests if is_hook(one)]
    assert {found["helm.sh/hook-delete-policy"] for _, found in annotations} <= {"before-hook-creation,hook-succeeded"}
    for job, found in annotations:
        if job["kind"] not in ("Job", "Pod"):
            continue
        others = [one for one in annotations if one[1]["helm.sh/hook"] == found["helm.sh/hook"] and one[0] is not job]
        assert others
        weight = int(found["helm.sh/hook-weight"])
        assert [one["metadata"]["name"] for one, other in others if int(other["helm.sh/hook-weight"]) >= weight] == []


def test_by_default() -> None:
    found = render()
    (deployment,) = of(found, "Deployment")
    spec = deployment["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert container["image"] == f"windlass:{__version__}"
    assert (container["livenessProbe"]["httpGet"]["path"], container["readinessProbe"]["httpGet"]["path"]) == (
        "/healthz",
        "/readyz",
    )
    own = spec["selector"]["matchLabels"]
    spread = spec["template"]["spec"]["topologySpreadConstraints"]
    assert [(one["topologyKey"], one["labelSelector"]["matchLabels"]) for one in spread] == [
        ("kubernetes.io/hostname", own),
        ("topology.kubernetes.io/zone", own),
    ]
    (hook,) = of(found, "ClusterRole", "windlass-crds")
    assert [set(rule.get("resourceNames", ())) for rule in hook["rules"]] == [
        set(),
        {definition["metadata"]["name"] for definition in crd.definitions().values()},
    ]


def test_in_some_namespaces_no_right_is_the_clusters() -> None:
    found = render(VARIANTS["some namespaces"])
    roles = [one["metadata"]["name"] for one in of(found, "ClusterRole")]
    assert sorted(roles) == ["windlass-crds", f"{NAMESPACE}-windlass-actions"]
    places = {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in of(found, "Role")}
    assert {("team-a", "windlass"), ("team-b", "windlass"), (NAMESPACE, "windlass-lease")} <= places
    everywhere, (here, *_) = of(render(), "ClusterRole", "windlass"), of(found, "Role", "windlass")
    assert here["rules"] == everywhere[0]["rules"]
    (container,) = of(found, "Deployment")[0]["spec"]["template"]["spec"]["containers"]
    assert container["args"][-2:] == ["--namespace=team-a", "--namespace=team-b"]


def test_the_lease_that_is_allowed_is_the_one_that_is_used(manifests: list[Manifest]) -> None:
    (container,) = of(manifests, "Deployment")[0]["spec"]["template"]["spec"]["containers"]
    used = {argument.removeprefix("--lease-name=") for argument in container["args"] if "--lease-name=" in argument}
    allowed = {
        name
        for role in of(manifests, "Role")
        for rule in role["rules"]
        if rule["resources"] == ["leases"]
        for name in rule.get("resourceNames", ())
    }
    assert len(used) == 1
    assert allowed == (
        used if any(one["metadata"]["name"].endswith("-lease") for one in of(manifests, "Role")) else set()
    )


def test_users_roles_are_parts_of_kubernetes_own() -> None:
    found = {one["metadata"]["name"]: one for one in of(render(), "ClusterRole")}
    for name in ("view", "edit", "admin"):
        role = found[f"windlass-{name}"]
        assert role["metadata"]["labels"][f"rbac.authorization.k8s.io/aggregate-to-{name}"] == "true"
        assert {group for rule in role["rules"] for group in rule["apiGroups"]} == {names.GROUP}
    verbs = {verb for rule in found["windlass-view"]["rules"] for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}


def test_a_digest_goes_before_a_tag() -> None:
    images = {
        container["image"]
        for pod in pod_specs(render(VARIANTS["everything given"])).values()
        for container in [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
    }
    assert images == {"registry.example.com/windlass@sha256:" + "0" * 64}


def test_monitoring() -> None:
    found = render(VARIANTS["monitored"])
    assert len(of(found, "ServiceMonitor")) == 1
    dashboards = sorted((CHART / "dashboards").glob("*.json"))
    maps = {key: text for one in of(found, "ConfigMap") for key, text in one["data"].items()}
    assert maps == {path.name: path.read_text() for path in dashboards}
    rules = [yaml.safe_load(path.read_text()) for path in sorted((CHART / "rules").glob("*.yaml"))]
    made = [group for one in of(found, "PrometheusRule") for group in one["spec"]["groups"]]
    assert made == [group for one in rules for group in one["groups"]]


def test_the_versions_move_together() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_the_notes_give_three_commands() -> None:
    values = {"watchNamespaces": ["team-a", "team-b"]}
    done = helm("install", RELEASE, str(CHART), "--namespace", NAMESPACE, "--dry-run=client", values=values)
    notes = done.stdout.partition("NOTES:")[2]
    commands = [line.strip() for line in notes.splitlines() if line.strip().startswith("kubectl")]
    assert commands == [
        f"kubectl -n {NAMESPACE} rollout status deployment/windlass",
        "kubectl create -n team-a -f - <<EOF",
        "kubectl get workflowruns -n team-a -w",
    ]
    run = yaml.safe_load(notes.partition("<<EOF\n")[2].partition("EOF")[0])
    assert [str(found) for found in check(run)] == []


SECURITY = (CHART.parents[1] / "docs" / "security.md").read_text()


def test_every_right_is_explained_and_no_other() -> None:
    given = {
        (role["metadata"]["name"], resource, verb)
        for role in of(render(), "Role") + of(render(), "ClusterRole")
        if role["metadata"]["labels"]["app.kubernetes.io/component"] != "users"
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    rows = re.findall(r"^\| `([\w-]+)` \| `([\w/]+)` \| ([a-z, ]+) \| \S.* \|$", SECURITY, re.MULTILINE)
    assert {(role, resource, verb) for role, resource, verbs in rows for verb in verbs.split(", ")} == given
