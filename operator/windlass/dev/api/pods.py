"""What the API server fills into a pod and checks of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from windlass.dev.api.answers import Cause
from windlass.dev.api.hub import Body
from windlass.dev.api.podfields import POD
from windlass.dev.api.schema import Structural

SCHEMA: Final = Structural.of(POD)

_SPEC: Final[Body] = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "serviceAccountName": "default",
    "schedulerName": "default-scheduler",
    "enableServiceLinks": True,
    "priority": 0,
    "preemptionPolicy": "PreemptLowerPriority",
}
_CHOICES: Final = {
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "dnsPolicy": ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
}
_MUTABLE: Final = ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates")


def fill(body: Body, now: datetime) -> None:
    """Write the defaults of a pod, and its first status."""
    spec = body.get("spec")
    if not isinstance(spec, dict):
        return
    for key, value in _SPEC.items():
        if spec.get(key) is None:
            spec[key] = value
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    if spec.get("securityContext") is None:
        spec["securityContext"] = {}
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        _fill_container(container)
    for volume in spec.get("volumes") or ():
        _fill_volume(volume)
    tolerated = [(one.get("key"), one.get("effect")) for one in spec.get("tolerations") or ()]
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if (key, "NoExecute") not in tolerated and (None, None) not in tolerated:
            more = {"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300}
            spec["tolerations"] = [*(spec.get("tolerations") or ()), more]
    if "status" not in body:
        body["status"] = {"phase": "Pending", "qosClass": _quality(spec)}


def _fill_container(container: Body) -> None:
    image = container.get("image") or ""
    tag = image.rsplit("/", 1)[-1].partition(":")[2]
    always = tag in {"", "latest"} and "@" not in image
    container.setdefault("imagePullPolicy", "Always" if always else "IfNotPresent")
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    resources = container.setdefault("resources", {}) or {}
    if resources.get("limits"):
        resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    for env in container.get("env") or ():
        reference = (env.get("valueFrom") or {}).get("fieldRef")
        if reference is not None:
            reference.setdefault("apiVersion", "v1")


def _fill_volume(volume: Body) -> None:
    for source in ("secret", "configMap", "projected", "downwardAPI"):
        if isinstance(volume.get(source), dict):
            volume[source].setdefault("defaultMode", 420)
    if not any(key != "name" for key in volume):
        volume["emptyDir"] = {}


def _quality(spec: Body) -> str:
    """The pod's quality of service."""
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    asked = [container.get("resources") or {} for container in containers]
    if not any(one.get("requests") or one.get("limits") for one in asked):
        return "BestEffort"
    guaranteed = all(
        {"cpu", "memory"} <= set(one.get("limits") or ()) and one.get("limits") == one.get("requests") for one in asked
    )
    return "Guaranteed" if guaranteed else "Burstable"


def causes(body: Body, old: Body | None) -> Iterator[Cause]:
    """What is wrong with a pod: what authors get wrong, not all that Kubernetes knows."""
    spec = body.get("spec") or {}
    if old is not None:
        yield from _changed(spec, old["spec"])
        return
    containers = spec.get("containers") or []
    if not containers:
        yield Cause("spec.containers", "Required value", "FieldValueRequired")
    for field, choices in _CHOICES.items():
        if spec.get(field) not in choices:
            supported = ", ".join(f'"{choice}"' for choice in choices)
            said = f'Unsupported value: "{spec.get(field)}": supported values: {supported}'
            yield Cause(f"spec.{field}", said, "FieldValueNotSupported")
    yield from _volumes(spec)
    volumes = {volume.get("name") for volume in spec.get("volumes") or ()}
    names: set[str] = set()
    for part in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(part) or ()):
            yield from _container(container, f"spec.{part}[{index}]", volumes, names)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and deadline < 1:
        said = f"Invalid value: {deadline}: must be between 1 and 2147483647, inclusive"
        yield Cause("spec.activeDeadlineSeconds", said)


def _changed(spec: Body, before: Body) -> Iterator[Cause]:
    if _fixed(spec) != _fixed(before):
        said = (
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
            "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
            "negative)"
        )
        yield Cause("spec", said, "FieldValueForbidden")
    deadline, was = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if was is not None and (deadline is None or deadline > was):
        said = f"Invalid value: {deadline}: must be less than or equal to previous value"
        yield Cause("spec.activeDeadlineSeconds", said)


def _fixed(spec: Body) -> Body:
    fixed = {key: value for key, value in spec.items() if key not in _MUTABLE}
    for part in ("containers", "initContainers"):
        fixed[part] = [{k: v for k, v in one.items() if k != "image"} for one in spec.get(part) or ()]
    return fixed


def _volumes(spec: Body) -> Iterator[Cause]:
    names: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or ()):
        where = f"spec.volumes[{index}]"
        name = volume.get("name")
        if not name:
            yield Cause(f"{where}.name", "Required value", "FieldValueRequired")
        elif name in names:
            yield Cause(f"{where}.name", f'Duplicate value: "{name}"', "FieldValueDuplicate")
        names.add(name)
        if sum(1 for key in volume if key != "name") > 1:
            yield Cause(where, "Forbidden: may not specify more than 1 volume type", "FieldValueForbidden")


def _container(container: Body, where: str, volumes: set[Any], names: set[str]) -> Iterator[Cause]:
    name = container.get("name")
    if not name:
        yield Cause(f"{where}.name", "Required value", "FieldValueRequired")
    elif name in names:
        yield Cause(f"{where}.name", f'Duplicate value: "{name}"', "FieldValueDuplicate")
    names.add(name or "")
    if not container.get("image"):
        yield Cause(f"{where}.image", "Required value", "FieldValueRequired")
    for index, env in enumerate(container.get("env") or ()):
        if not env.get("name"):
            yield Cause(f"{where}.env[{index}].name", "Required value", "FieldValueRequired")
        if env.get("value") and env.get("valueFrom"):
            said = 'Invalid value: "": may not be specified when `value` is not empty'
            yield Cause(f"{where}.env[{index}].valueFrom", said)
    paths: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if mount.get("name") not in volumes:
            said = f'Not found: "{mount.get("name")}"'
            yield Cause(f"{where}.volumeMounts[{index}].name", said, "FieldValueNotFound")
        path = mount.get("mountPath")
        if not path:
            yield Cause(f"{where}.volumeMounts[{index}].mountPath", "Required value", "FieldValueRequired")
        elif path in paths:
            said = f'Invalid value: "{path}": must be unique'
            yield Cause(f"{where}.volumeMounts[{index}].mountPath", said)
        paths.add(path or "")
    policy = container.get("imagePullPolicy")
    if policy not in {"Always", "IfNotPresent", "Never"}:
        said = f'Unsupported value: "{policy}": supported values: "Always", "IfNotPresent", "Never"'
        yield Cause(f"{where}.imagePullPolicy", said, "FieldValueNotSupported")
