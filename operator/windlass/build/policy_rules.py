"""The rules of a policy, each twice: in Python for the controller, in CEL for the cluster's own admission.

`offenders` names what of a pod a rule refuses, `cel` is a list of the same strings. Its variables are made in the
chart: `spec`, `containers` (init containers too), `terms` and `preferences` (of node affinity), and `allowed_X` for
each X of a policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from windlass.build.policy_fields import refused_fields
from windlass.build.policy_fields_cel import FIELDS_CEL

JsonObject = Mapping[str, Any]

APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
UNREACHABLE: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
"""Taints that the API server itself lets each pod tolerate."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be used. `*` in a list is everything."""

    host_namespaces: tuple[str, ...] = ()
    """hostNetwork, hostPID, hostIPC."""
    host_paths: tuple[str, ...] = ()
    """Directories of nodes, with what is below them."""
    privileged: bool = False
    privilege_escalation: bool = False
    root: bool = False
    """Containers may run as user 0, or as whatever user their image says."""
    capabilities: tuple[str, ...] = ()
    """That containers may add."""
    service_accounts: tuple[str, ...] = ("default",)
    images: tuple[str, ...] = ("*",)
    """Whole parts of images' names, from their beginning: `registry.example.com/data`, `python:3.12-slim`."""
    node_selectors: tuple[str, ...] = ()
    """Labels of nodes that pods may choose by: `key`, or `key=value`."""
    tolerations: tuple[str, ...] = ()
    """Keys of taints that pods may tolerate."""
    priority_classes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    """More fields of the pod: `spec.runtimeClassName`, `spec.containers[].ports[].hostPort`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule refuses, said twice."""

    name: str
    """As it is called in a policy."""
    offenders: Callable[[JsonObject, Allowed], Sequence[str]]
    cel: str


def lets(allowed: Sequence[str], value: str) -> bool:
    """Whether a list has a value, or everything."""
    return "*" in allowed or value in allowed


def below(allowed: Sequence[str], path: str) -> bool:
    """Whether a path is one of these directories, or in one of them."""
    return ".." not in path.split("/") and any(
        path == one or path.startswith(one if one.endswith("/") else one + "/") for one in allowed
    )


def image_of(allowed: Sequence[str], image: str) -> bool:
    """Whether an image's name begins with one of these, up to the end of a part."""
    return any(
        one == "*" or image == one or image.startswith((one if one.endswith("/") else one + "/", one + ":", one + "@"))
        for one in allowed
    )


def _containers(pod: JsonObject) -> list[JsonObject]:
    return [*(pod["spec"].get("containers") or ()), *(pod["spec"].get("initContainers") or ())]


def _context(container: JsonObject) -> JsonObject:
    return container.get("securityContext") or {}


def _fields(pod: JsonObject, allowed: Allowed) -> list[str]:
    if "*" in allowed.fields:
        return []
    annotations = pod["metadata"].get("annotations") or {}
    profiles = [key for key, value in annotations.items() if key.startswith(APPARMOR) and value != "runtime/default"]
    unlocked = "spec.containers[].securityContext.appArmorProfile.type" in allowed.fields
    return refused_fields(pod["spec"], frozenset(allowed.fields)) + ([] if unlocked else sorted(profiles))


def _host_namespaces(pod: JsonObject, allowed: Allowed) -> list[str]:
    keys = ("hostNetwork", "hostPID", "hostIPC")
    return [key for key in keys if pod["spec"].get(key) and not lets(allowed.host_namespaces, key)]


def _host_paths(pod: JsonObject, allowed: Allowed) -> list[str]:
    paths = [str(one["hostPath"].get("path")) for one in pod["spec"].get("volumes") or () if one.get("hostPath")]
    return [path for path in paths if not lets(allowed.host_paths, path) and not below(allowed.host_paths, path)]


def _privileged(pod: JsonObject, allowed: Allowed) -> list[str]:
    return [f"container {one.get('name', '')}" for one in _containers(pod)
            if _context(one).get("privileged") and not allowed.privileged]  # fmt: skip


def _privilege_escalation(pod: JsonObject, allowed: Allowed) -> list[str]:
    return [f"container {one.get('name', '')}" for one in _containers(pod)
            if _context(one).get("allowPrivilegeEscalation", True) and not allowed.privilege_escalation]  # fmt: skip


def _root(pod: JsonObject, allowed: Allowed) -> list[str]:
    if allowed.root:
        return []
    whole = pod["spec"].get("securityContext") or {}
    return [f"container {one.get('name', '')}" for one in _containers(pod)
            if not _context(one).get("runAsNonRoot", whole.get("runAsNonRoot", False))
            or _context(one).get("runAsUser", whole.get("runAsUser", 1)) == 0]  # fmt: skip


def _capabilities(pod: JsonObject, allowed: Allowed) -> list[str]:
    added = [name for one in _containers(pod) for name in (_context(one).get("capabilities") or {}).get("add") or ()]
    return [name for name in added if not lets(allowed.capabilities, name)]


def _service_accounts(pod: JsonObject, allowed: Allowed) -> list[str]:
    said = {pod["spec"].get("serviceAccountName"), pod["spec"].get("serviceAccount")} - {None, ""} or {"default"}
    return sorted(name for name in said if not lets(allowed.service_accounts, name))


def _images(pod: JsonObject, allowed: Allowed) -> list[str]:
    volumes = [one["image"].get("reference", "") for one in pod["spec"].get("volumes") or () if one.get("image")]
    images = [*(one.get("image", "") for one in _containers(pod)), *volumes]
    return [image for image in images if not image_of(allowed.images, image)]


def _node_selectors(pod: JsonObject, allowed: Allowed) -> list[str]:
    chosen = (pod["spec"].get("nodeSelector") or {}).items()
    found = [f"{key}={value}" for key, value in chosen
             if not lets(allowed.node_selectors, key) and f"{key}={value}" not in allowed.node_selectors]  # fmt: skip
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or []
    preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or []
    terms = [*required, *(one.get("preference") or {} for one in preferred)]
    chosen_by = [
        one.get("key", "")
        for term in terms
        for kind in ("matchExpressions", "matchFields")
        for one in term.get(kind) or ()
    ]
    return found + [key for key in chosen_by if not lets(allowed.node_selectors, key)]


def _tolerations(pod: JsonObject, allowed: Allowed) -> list[str]:
    keys: Iterable[str] = (one.get("key") or "*" for one in pod["spec"].get("tolerations") or ())
    return [key for key in keys if key not in UNREACHABLE and not lets(allowed.tolerations, key)]


def _priority_classes(pod: JsonObject, allowed: Allowed) -> list[str]:
    name = pod["spec"].get("priorityClassName")
    return [name] if name and not lets(allowed.priority_classes, name) else []


_ANY: Final = "'*' in variables.allowed_{}"
_CONTEXT: Final = "has(c.securityContext) && has(c.securityContext.{0}) && c.securityContext.{0}"
_POD_CONTEXT: Final = "has(variables.spec.securityContext) && has(variables.spec.securityContext.{0})"
_NON_ROOT: Final = (
    "(has(c.securityContext) && has(c.securityContext.runAsNonRoot) ? c.securityContext.runAsNonRoot : "
    f"({_POD_CONTEXT.format('runAsNonRoot')} ? variables.spec.securityContext.runAsNonRoot : false))"
)
_USER: Final = (
    "(has(c.securityContext) && has(c.securityContext.runAsUser) ? c.securityContext.runAsUser : "
    f"({_POD_CONTEXT.format('runAsUser')} ? variables.spec.securityContext.runAsUser : 1))"
)
_BEGINS: Final = (
    "(a == '*' || i == a || i.startsWith(a.endsWith('/') ? a : a + '/') || i.startsWith(a + ':') || "
    "i.startsWith(a + '@'))"
)

RULES: Final[Sequence[Rule]] = (
    Rule("fields", _fields, FIELDS_CEL),
    Rule(
        "hostNamespaces",
        _host_namespaces,
        "['hostNetwork', 'hostPID', 'hostIPC'].filter(k, k in variables.spec && variables.spec[k] && "
        f"!({_ANY.format('hostNamespaces')}) && !(k in variables.allowed_hostNamespaces))",
    ),
    Rule(
        "hostPaths",
        _host_paths,
        "(has(variables.spec.volumes) ? variables.spec.volumes : []).filter(v, has(v.hostPath)).map(v, "
        f"v.hostPath.path).filter(p, !({_ANY.format('hostPaths')}) && ('..' in p.split('/') || "
        "!variables.allowed_hostPaths.exists(a, p == a || p.startsWith(a.endsWith('/') ? a : a + '/'))))",
    ),
    Rule(
        "privileged",
        _privileged,
        f"variables.containers.filter(c, {_CONTEXT.format('privileged')} && !variables.allowed_privileged)"
        ".map(c, 'container ' + c.name)",
    ),
    Rule(
        "privilegeEscalation",
        _privilege_escalation,
        "variables.containers.filter(c, !(has(c.securityContext) && has(c.securityContext.allowPrivilegeEscalation) && "
        "!c.securityContext.allowPrivilegeEscalation) && !variables.allowed_privilegeEscalation)"
        ".map(c, 'container ' + c.name)",
    ),
    Rule(
        "root",
        _root,
        f"variables.containers.filter(c, !variables.allowed_root && (!{_NON_ROOT} || {_USER} == 0))"
        ".map(c, 'container ' + c.name)",
    ),
    Rule(
        "capabilities",
        _capabilities,
        "variables.containers.filter(c, has(c.securityContext) && has(c.securityContext.capabilities) && "
        "has(c.securityContext.capabilities.add)).map(c, c.securityContext.capabilities.add.filter(n, "
        f"!({_ANY.format('capabilities')}) && !(n in variables.allowed_capabilities)).join(', ')).filter(s, s != '')",
    ),
    Rule(
        "serviceAccounts",
        _service_accounts,
        "[has(variables.spec.serviceAccountName) && variables.spec.serviceAccountName != '' ? "
        f"variables.spec.serviceAccountName : 'default'].filter(n, !({_ANY.format('serviceAccounts')}) && "
        "!(n in variables.allowed_serviceAccounts))",
    ),
    Rule(
        "images",
        _images,
        "(variables.containers.map(c, has(c.image) ? c.image : '') + (has(variables.spec.volumes) ? "
        "variables.spec.volumes : []).filter(v, has(v.image)).map(v, has(v.image.reference) ? v.image.reference : ''))"
        f".filter(i, !variables.allowed_images.exists(a, {_BEGINS}))",
    ),
    Rule(
        "nodeSelectors",
        _node_selectors,
        "(has(variables.spec.nodeSelector) ? variables.spec.nodeSelector : {}).filter(k, "
        f"!({_ANY.format('nodeSelectors')}) && !(k in variables.allowed_nodeSelectors) && "
        "!((k + '=' + variables.spec.nodeSelector[k]) in variables.allowed_nodeSelectors))"
        ".map(k, k + '=' + variables.spec.nodeSelector[k]) + "
        "(variables.terms + variables.preferences).map(t, ((has(t.matchExpressions) ? t.matchExpressions : []) + "
        f"(has(t.matchFields) ? t.matchFields : [])).map(e, e.key).filter(k, !({_ANY.format('nodeSelectors')}) && "
        "!(k in variables.allowed_nodeSelectors)).join(', ')).filter(s, s != '')",
    ),
    Rule(
        "tolerations",
        _tolerations,
        "(has(variables.spec.tolerations) ? variables.spec.tolerations : []).map(t, has(t.key) && t.key != '' ? t.key "
        f": '*').filter(k, !(k in {list(UNREACHABLE)}) && !({_ANY.format('tolerations')}) && "
        "!(k in variables.allowed_tolerations))",
    ),
    Rule(
        "priorityClasses",
        _priority_classes,
        "(has(variables.spec.priorityClassName) && variables.spec.priorityClassName != '' ? "
        f"[variables.spec.priorityClassName] : []).filter(n, !({_ANY.format('priorityClasses')}) && "
        "!(n in variables.allowed_priorityClasses))",
    ),
)
