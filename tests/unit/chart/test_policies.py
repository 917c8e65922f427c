"""The admin's policies in the chart: what the controller is given, and what the cluster is told."""

from __future__ import annotations

import yaml

from support.chart import CHART, NAMESPACE, VARIANTS, helm, of, render
from windlass.build.policy import read_policies
from windlass.models.action import Verb

ACTIONS = f"{NAMESPACE}-windlass-actions"
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"


def test_the_controller_reads_what_the_values_say() -> None:
    given = VARIANTS["everything given"]["policy"]["pods"]
    found = render(VARIANTS["everything given"])
    (config,) = of(found, "ConfigMap", "windlass-policies")
    read = read_policies(yaml.safe_load(config["data"]["policies.yaml"]))
    assert [policy.name for policy in read] == [entry["name"] for entry in given]
    assert read == read_policies({"policies": given})
    (container,) = of(found, "Deployment")[0]["spec"]["template"]["spec"]["containers"]
    assert "--policy=/etc/windlass/policies.yaml" in container["args"]


def test_a_list_that_is_empty_allows_nothing() -> None:
    """It is not taken for one that was left out."""
    for values, allowed in (({"images": []}, "[]"), ({}, '["*"]'), ({"images": ["a"]}, '["a"]')):
        found = render({"policy": {"pods": [{"name": "p", **values}]}})
        (policy,) = of(found, POLICY, f"{NAMESPACE}-windlass-p")
        variables = {one["name"]: one["expression"] for one in policy["spec"]["variables"]}
        assert variables["allowed_images"] == allowed


def test_policies_are_for_the_controllers_own_requests_and_the_namespaces_that_are_selected() -> None:
    values = VARIANTS["everything given"]
    found = render(values)
    for policy in of(found, POLICY):
        if policy["metadata"]["name"] == ACTIONS:
            continue
        (condition,) = policy["spec"]["matchConditions"]
        assert condition["expression"] == f"request.userInfo.username == 'system:serviceaccount:{NAMESPACE}:runner'"
    (strict,) = of(found, BINDING, f"{NAMESPACE}-windlass-strict")
    assert strict["spec"]["matchResources"] == {"namespaceSelector": values["policy"]["pods"][1]["namespaceSelector"]}
    (usual,) = of(found, BINDING, f"{NAMESPACE}-windlass-usual")
    assert "matchResources" not in usual["spec"]


def test_fencing_takes_the_lease_that_the_controller_uses() -> None:
    found = render({"admission": {"actions": False}})
    (binding,) = of(found, BINDING)
    (container,) = of(found, "Deployment")[0]["spec"]["template"]["spec"]["containers"]
    assert f"--lease-name={binding['spec']['paramRef']['name']}" in container["args"]
    assert binding["spec"]["paramRef"]["namespace"] == NAMESPACE
    assert [one["metadata"]["name"] for one in of(render({"admission": {"fencing": False}}), POLICY)] == [ACTIONS]


def test_the_controller_asks_for_the_policy_that_is_there_and_may_read_it() -> None:
    found = render()
    (container,) = of(found, "Deployment")[0]["spec"]["template"]["spec"]["containers"]
    assert f"--actions-policy={ACTIONS}" in container["args"]
    assert len(of(found, POLICY, ACTIONS)) == len(of(found, BINDING, ACTIONS)) == 1
    (role,) = of(found, "ClusterRole", ACTIONS)
    assert [rule["resourceNames"] for rule in role["rules"]] == [[ACTIONS]]
    without = render({"admission": {"actions": False}, "actions": {"unverified": True, "keep": "2d"}})
    (container,) = of(without, "Deployment")[0]["spec"]["template"]["spec"]["containers"]
    assert not [argument for argument in container["args"] if argument.startswith("--actions-policy")]
    assert {"--unverified-actions", "--keep-actions=2d"} <= {*container["args"]}
    assert not of(without, "ClusterRole", ACTIONS)


def test_the_roles_of_people_name_each_verb_once() -> None:
    verbs = {verb.lower() for verb in Verb}
    roles = {
        role["metadata"]["name"]: {verb for rule in role["rules"] for verb in rule["verbs"]} & verbs
        for role in of(render(), "ClusterRole")
    }
    assert roles["windlass-approver"] == {"approve", "reject"}
    assert roles["windlass-operator"] == verbs - {"approve", "reject"}


def test_the_labels_of_namespaces_are_read_where_a_policy_selects_by_them() -> None:
    assert not [one for one in of(render(), "ClusterRole") if "polic" in one["metadata"]["name"]]
    everywhere = render({"policy": {"pods": [{"name": "p"}]}})
    assert not of(everywhere, "ClusterRole", f"{NAMESPACE}-windlass-policies")
    pods = {"policy": {"pods": [{"name": "p", "namespaceSelector": {"matchLabels": {"a": "b"}}}]}}
    (role,) = of(render(pods), "ClusterRole", f"{NAMESPACE}-windlass-policies")
    assert role["rules"] == [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]
    found = render({**pods, "watchNamespaces": ["a", "b"]})
    places = [one["metadata"]["namespace"] for one in of(found, "Role", "windlass-policies")]
    assert (places, of(found, "ClusterRole", f"{NAMESPACE}-windlass-policies")) == (["a", "b"], [])


def test_the_example_of_the_docs() -> None:
    page = (CHART.parents[1] / "docs" / "security.md").read_text()
    values = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    usual, platform = read_policies({"policies": values["policy"]["pods"]})
    assert (usual.applies_to({"team": "platform"}), platform.applies_to({"team": "platform"})) == (False, True)
    assert len(of(render(values), POLICY)) == 4


def test_a_misspelt_rule_is_refused() -> None:
    done = helm("template", "w", str(CHART), values={"policy": {"pods": [{"name": "p", "image": ["x"]}]}})
    assert (done.returncode != 0, "'image'" in done.stderr) == (True, True)
