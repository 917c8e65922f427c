"""The pod of one attempt of a task, as a manifest.

    PodRequest ──containers, volumes, scheduling──▶ pod ──podTemplate merged──▶ ──restricted defaults──▶ manifest

Nothing is looked up here, and no clock is read: equal requests give equal pods.
"""

from __future__ import annotations

import math
from typing import Any

from windlass import names
from windlass.build import source as git
from windlass.build import workspace as shared
from windlass.build.container import OUTPUTS, main_container, merged_env, run_environment
from windlass.build.merge import merge
from windlass.build.meta import pod_metadata
from windlass.build.request import Installation, PodRequest
from windlass.build.security import harden
from windlass.models.common import seconds

__all__ = ["Installation", "PodRequest", "build_pod"]

JsonObject = dict[str, Any]

_COPIED = {
    "image_pull_secrets": "imagePullSecrets",
    "node_selector": "nodeSelector",
    "tolerations": "tolerations",
    "service_account_name": "serviceAccountName",
    "priority_class_name": "priorityClassName",
    "scheduler_name": "schedulerName",
    "host_aliases": "hostAliases",
    "dns_config": "dnsConfig",
    "dns_policy": "dnsPolicy",
    "runtime_class_name": "runtimeClassName",
}


def build_pod(request: PodRequest) -> JsonObject:
    """The manifest of the attempt's pod. ValueError says what of the task makes that impossible."""
    pod: JsonObject = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": pod_metadata(request),
        "spec": _spec(request),
    }
    if request.body.pod_template:
        pod = _with_template(pod, request.body.pod_template)
    pod["spec"] = harden(pod["spec"], bool(request.body.run_as_image_user))
    return pod


def _spec(request: PodRequest) -> JsonObject:
    task = request.body
    spec: JsonObject = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": bool(task.automount_service_account_token),
        "enableServiceLinks": False,
    }
    for attribute, key in _COPIED.items():
        if (value := getattr(task, attribute)) is not None:
            spec[key] = value
    if task.termination_grace_period is not None:
        spec["terminationGracePeriodSeconds"] = math.ceil(seconds(task.termination_grace_period))
    affinity = task.affinity
    if request.workspace is not None and not request.is_source_step:
        affinity = shared.with_affinity(affinity, request.workspace, request.run_uid)
    if affinity:
        spec["affinity"] = affinity
    if volumes := _volumes(request):
        spec["volumes"] = volumes
    if init_containers := _init_containers(request):
        spec["initContainers"] = init_containers
    spec["containers"] = [main_container(request)]
    return spec


def _volumes(request: PodRequest) -> list[JsonObject]:
    found: list[JsonObject] = []
    if request.source is not None:
        found += git.volumes(request.source)
    if request.workspace is not None and request.claim is not None and not request.is_source_step:
        found.append(shared.volume(request.claim))
    return [*found, *(request.body.volumes or [])]


def _init_containers(request: PodRequest) -> list[JsonObject]:
    """The source first, so that the task's own init containers may use it; sidecars last, as they stay."""
    found = git.init_containers(request, request.source) if request.source is not None else []
    ours = run_environment(request)
    for container in request.body.init_containers or []:
        found.append({**container, "env": merged_env(ours, container.get("env"))})
    for container in request.body.sidecars or []:
        found.append({**container, "env": merged_env(ours, container.get("env")), "restartPolicy": "Always"})
    return found


def _with_template(pod: JsonObject, template: JsonObject) -> JsonObject:
    metadata = template.get("metadata") or {}
    if unknown := metadata.keys() - {"labels", "annotations"}:
        raise ValueError(f"podTemplate.metadata.{min(unknown)} can't be set: only labels and annotations can")
    merged = merge(pod, {key: template[key] for key in ("metadata", "spec") if template.get(key)})
    if unknown := template.keys() - {"metadata", "spec"}:
        raise ValueError(f"podTemplate.{min(unknown)} is unknown: it takes metadata and spec")
    merged["metadata"]["labels"] |= {
        key: value
        for key, value in pod["metadata"]["labels"].items()
        if key.startswith(f"{names.GROUP}/") or key == names.LABEL_MANAGED_BY
    }
    _check(merged["spec"])
    return merged


def _check(spec: JsonObject) -> None:
    """Refuse a template that takes away what the controller learns the task's end from."""
    main = next((found for found in spec.get("containers") or [] if found.get("name") == names.MAIN_CONTAINER), None)
    if main is None:
        raise ValueError(f"podTemplate removes the container {names.MAIN_CONTAINER}, which is the task: leave it")
    if spec.get("restartPolicy") != "Never":
        raise ValueError("podTemplate.spec.restartPolicy can only be Never: use the task's retry")
    if main.get("terminationMessagePath") != OUTPUTS:
        raise ValueError("podTemplate changes terminationMessagePath, by which the task's outputs come: leave it out")
