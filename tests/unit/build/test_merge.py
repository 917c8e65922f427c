from __future__ import annotations

from typing import Any

import pytest

from windlass.build.merge import merge

Case = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]

CASES: dict[str, Case] = {
    "a value is replaced": ({"a": 1, "b": 2}, {"a": 3}, {"a": 3, "b": 2}),
    "a null deletes": ({"a": 1, "b": 2}, {"a": None, "c": None}, {"b": 2}),
    "objects are merged": ({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": 3}}, {"a": {"c": 2, "d": 3}}),
    "an object takes the place of a value": ({"a": 1}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
    "containers by name, new ones last": (
        {"containers": [{"name": "a", "image": "x"}, {"name": "b"}]},
        {"containers": [{"name": "c"}, {"name": "a", "tty": True}]},
        {"containers": [{"name": "a", "image": "x", "tty": True}, {"name": "b"}, {"name": "c"}]},
    ),
    "a container is deleted": (
        {"containers": [{"name": "a"}, {"name": "b"}]},
        {"containers": [{"name": "a", "$patch": "delete"}, {"name": "x", "$patch": "delete"}]},
        {"containers": [{"name": "b"}]},
    ),
    "a container is replaced": (
        {"containers": [{"name": "a", "image": "x", "tty": True}]},
        {"containers": [{"name": "a", "image": "y", "$patch": "replace"}]},
        {"containers": [{"name": "a", "image": "y"}]},
    ),
    "a list is replaced": (
        {"env": [{"name": "a", "value": "1"}]},
        {"env": [{"$patch": "replace"}, {"name": "b", "value": "2"}]},
        {"env": [{"name": "b", "value": "2"}]},
    ),
    "an object is replaced": ({"a": {"b": 1}}, {"a": {"$patch": "replace", "c": 2}}, {"a": {"c": 2}}),
    "an object is deleted": ({"a": {"b": 1}}, {"a": {"$patch": "delete"}}, {}),
    "arguments are replaced": ({"args": ["a", "b"]}, {"args": ["c"]}, {"args": ["c"]}),
    "tolerations are appended once": (
        {"tolerations": [{"key": "a"}]},
        {"tolerations": [{"key": "a"}, {"key": "b"}]},
        {"tolerations": [{"key": "a"}, {"key": "b"}]},
    ),
    "mounts by path": (
        {"volumeMounts": [{"name": "a", "mountPath": "/x"}]},
        {"volumeMounts": [{"name": "b", "mountPath": "/x"}, {"name": "a", "mountPath": "/y"}]},
        {"volumeMounts": [{"name": "b", "mountPath": "/x"}, {"name": "a", "mountPath": "/y"}]},
    ),
    "ports by number and protocol": (
        {"ports": [{"containerPort": 53}]},
        {"ports": [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP", "name": "dns"}]},
        {"ports": [{"containerPort": 53, "protocol": "TCP", "name": "dns"}, {"containerPort": 53, "protocol": "UDP"}]},
    ),
    "a volume of another type takes the place": (
        {"volumes": [{"name": "a", "emptyDir": {}}]},
        {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "c"}}]},
        {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "c"}}]},
    ),
    "a volume of the same type is merged": (
        {"volumes": [{"name": "a", "emptyDir": {"medium": "Memory"}}]},
        {"volumes": [{"name": "a", "emptyDir": {"sizeLimit": "1Gi"}}]},
        {"volumes": [{"name": "a", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}]},
    ),
    "directives of kubectl are passed over": (
        {"env": [{"name": "a"}]},
        {"env": [{"name": "b"}], "$setElementOrder/env": [{"name": "b"}, {"name": "a"}]},
        {"env": [{"name": "a"}, {"name": "b"}]},
    ),
    "a whole patch replaces": (
        {"a": 1},
        {"$patch": "replace", "b": {"c": None, "d": [{"e": None}]}},
        {"b": {"d": [{}]}},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_merge(case: Case) -> None:
    base, patch, merged = case
    assert merge(base, patch) == merged


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_merge_again_changes_nothing(case: Case) -> None:
    _, patch, merged = case
    assert merge(merged, patch) == merged
