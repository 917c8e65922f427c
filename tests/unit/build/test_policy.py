"""What the admin's policies let pass: every field of a pod, each rule, and policies that are wrong themselves."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from support.policy_cases import CASES, GOLDEN, RECORDED, PolicyCase, pod_fields, usual_pod, with_field
from windlass.build.policy import Policy, read_policies, refusal
from windlass.build.policy_rules import Allowed

NOTHING = Policy("nothing")
ALL = Allowed(
    ("*",), ("*",), True, True, True, ("*",), ("*",), ("*",), ("*",), ("*",), ("*",), ("*",)
)  # fmt: skip


def of(values: Any) -> Policy:
    return read_policies({"policies": [{"name": "p", **values}]})[0]


def test_every_field_that_is_on_no_list_is_refused() -> None:
    """What passes a policy that allows nothing is listed, to be read by people; all other fields are refused."""
    passing = [
        path for path, value in pod_fields().items() if not NOTHING.refusals(with_field(usual_pod(), path, value))
    ]
    listed = [line for line in (RECORDED / "passing-fields.txt").read_text().splitlines() if not line.startswith("#")]
    assert passing == listed


def test_a_field_that_nobody_knows_yet_is_refused() -> None:
    objects = ("spec", "spec.containers[]", "spec.initContainers[]", "spec.containers[].securityContext")
    for place in (*objects, "spec.securityContext", "spec.volumes[]", "spec.containers[].ports[]"):
        assert ".tomorrow:" in str(NOTHING.refusals(with_field(usual_pod(), f"{place}.tomorrow", "x"))), place


def test_init_containers_are_held_to_the_same() -> None:
    fields = {path: value for path, value in pod_fields().items() if path.startswith("spec.containers[].")}
    pod = with_field(usual_pod(), "spec.initContainers[]", usual_pod()["spec"]["containers"][0])
    for path, value in fields.items():
        inits = with_field(pod, path.replace("containers", "initContainers"), value)
        plain = with_field(pod, path, value)
        assert bool(NOTHING.refusals(inits)) == bool(NOTHING.refusals(plain)), path


def test_a_policy_that_allows_all_refuses_nothing() -> None:
    refused = {
        path: said
        for path, value in pod_fields().items()
        if (said := Policy("all", ALL).refusals(with_field(usual_pod(), path, value)))
    }
    assert refused == {}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_rules(case: PolicyCase) -> None:
    pod = with_field(usual_pod(), case.path, case.value)
    assert of(case.policy).refusals(pod) == ([refusal("p", case.refused[0], [case.refused[1]])] if case.refused else [])


def test_what_is_said() -> None:
    pod = with_field(usual_pod(), "spec.hostNetwork", True)
    assert NOTHING.refusals(pod) == [
        'the admin\'s policy "nothing" refuses hostNetwork: its rule hostNamespaces does not allow it'
    ]


PLAIN = ("command", "env", "git", "git-follow", "git-password", "git-ssh", "script-bash", "script-python", "script-sh",
         "workspace", "workspace-many", "memory-grown", "dollars-in-values")  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_what_windlass_builds_by_itself_passes(name: str) -> None:
    assert NOTHING.refusals(yaml.safe_load((GOLDEN / f"{name}.yaml").read_text())) == []


def test_apparmor_by_annotation() -> None:
    pod = usual_pod()
    key = "container.apparmor.security.beta.kubernetes.io/main"
    pod["metadata"]["annotations"] = {key: "unconfined"}
    assert NOTHING.refusals(pod) == [refusal("nothing", "fields", [key])]
    pod["metadata"]["annotations"] = {key: "runtime/default"}
    assert NOTHING.refusals(pod) == []


SELECTORS: dict[str, tuple[dict[str, Any], bool]] = {
    "none": ({}, True),
    "a label": ({"matchLabels": {"team": "data"}}, True),
    "another value": ({"matchLabels": {"team": "ops"}}, False),
    "in": ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["ops", "data"]}]}, True),
    "not in": ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["data"]}]}, False),
    "not in, without the label": ({"matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["y"]}]}, True),
    "exists": ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, True),
    "does not exist": ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, False),
    "both": ({"matchLabels": {"team": "data"}, "matchExpressions": [{"key": "x", "operator": "Exists"}]}, False),
}


@pytest.mark.parametrize(("selector", "selected"), SELECTORS.values(), ids=SELECTORS.keys())
def test_namespaces(selector: dict[str, Any], selected: bool) -> None:
    assert of({"namespaceSelector": selector}).applies_to({"team": "data"}) is selected


WRONG: dict[str, tuple[Any, str]] = {
    "no object": ([], "a policy file is an object with one key: policies"),
    "another key": ({"policy": []}, "a policy file is an object with one key: policies"),
    "no list": ({"policies": {}}, "policies is no list"),
    "no name": ({"policies": [{"images": []}]}, "policies[0]: a policy is an object with a name"),
    "a misspelt rule": (
        {"policies": [{"name": "a", "image": ["x"]}]},
        "policies[0].image is no rule: there are capabilities, fields, hostNamespaces, hostPaths, images, "
        "nodeSelectors, priorityClasses, privilegeEscalation, privileged, root, serviceAccounts, tolerations",
    ),
    "no list of strings": ({"policies": [{"name": "a", "images": "x"}]}, "policies[0].images is no list of strings"),
    "a list for a switch": (
        {"policies": [{"name": "a", "privileged": ["x"]}]},
        "policies[0].privileged is neither true nor false",
    ),
    "a field that is none": (
        {"policies": [{"name": "a", "fields": ["spec.containers[].image.x"]}]},
        "policies[0].fields: spec.containers[].image.x is no field that can be allowed",
    ),
    "a name twice": ({"policies": [{"name": "a"}, {"name": "a"}]}, "policies: the name a is there twice"),
    "a wrong operator": (
        {"policies": [{"name": "a", "namespaceSelector": {"matchExpressions": [{"key": "x", "operator": "Is"}]}}]},
        "policies[0].namespaceSelector.matchExpressions: key and an operator of In, NotIn, Exists, DoesNotExist are "
        "needed",
    ),
}


@pytest.mark.parametrize(("document", "told"), WRONG.values(), ids=WRONG.keys())
def test_a_file_that_is_wrong(document: Any, told: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_policies(document)
    assert str(caught.value) == told
