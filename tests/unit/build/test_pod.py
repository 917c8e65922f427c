from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.golden import assert_golden
from support.pod_requests import REQUESTS, request
from windlass.build.pod import PodRequest, build_pod

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", REQUESTS)
def test_pod(name: str) -> None:
    assert_golden(GOLDEN / f"{name}.yaml", build_pod(REQUESTS[name]))


def test_each_golden_has_its_request() -> None:
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(REQUESTS)


@pytest.mark.parametrize("name", REQUESTS)
def test_building_changes_nothing_that_it_was_given(name: str) -> None:
    before = REQUESTS[name].body.model_dump()
    first = build_pod(REQUESTS[name])
    first["metadata"]["labels"]["changed"] = "yes"
    first["spec"]["containers"][0]["env"].append({"name": "CHANGED"})
    second = build_pod(REQUESTS[name])
    assert "changed" not in second["metadata"]["labels"]
    assert {"name": "CHANGED"} not in second["spec"]["containers"][0]["env"]
    assert REQUESTS[name].body.model_dump() == before


def _template(spec: dict[str, Any], **more: Any) -> PodRequest:
    return request({"script": "true", "podTemplate": {"spec": spec, **more}})


REFUSED = {
    "a script that grew": (request({"script": "é" * 60000}), "the script is 120000 bytes once its templates"),
    "no main container": (
        _template({"containers": [{"name": "main", "$patch": "delete"}, {"name": "x", "image": "x"}]}),
        "podTemplate removes the container main",
    ),
    "a restart policy": (_template({"restartPolicy": "Always"}), "restartPolicy can only be Never"),
    "another termination message": (
        _template({"containers": [{"name": "main", "terminationMessagePath": "/x"}]}),
        "podTemplate changes terminationMessagePath",
    ),
    "a name": (_template({}, metadata={"name": "x"}), "podTemplate.metadata.name can't be set"),
    "finalizers": (_template({}, metadata={"finalizers": []}), "podTemplate.metadata.finalizers can't be set"),
    "a status": (_template({}, status={}), "podTemplate.status is unknown"),
    "a container without a name": (_template({"containers": [{"image": "x"}]}), r"containers\[0\] has no 'name'"),
    "a memory limit that is none": (
        request({"script": "true", "resources": {"requests": {"memory": "lots"}}}, memory="1Gi"),
        "'lots' is no quantity",
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_refused(case: tuple[PodRequest, str]) -> None:
    built, message = case
    with pytest.raises(ValueError, match=message):
        build_pod(built)
