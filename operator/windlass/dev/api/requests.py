"""A request, taken apart: which kind, which object, which verb, in which form the answer is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import orjson
import yaml

from windlass.dev.api import protobuf
from windlass.dev.api.admit import Fields
from windlass.dev.api.answers import Cause, bad_request, not_found, rejected, unknown_resource, unsupported
from windlass.dev.api.catalog import Catalog, Kind
from windlass.dev.api.faults import Call
from windlass.dev.api.patches import CONTENT_TYPES
from windlass.dev.api.store import Write
from windlass.errors import ApiError, Invalid

Form = Literal["object", "table", "metadata"]
_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_UNSUPPORTED: Final = "FieldValueNotSupported"
_LARGEST: Final = 3 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """What the path of a request names."""

    kind: Kind
    namespace: str | None
    name: str | None
    subresource: str | None

    def call(self, method: str, *, watch: bool) -> Call:
        """The request in the words of RBAC."""
        if method in {"GET", "HEAD"}:
            verb = "watch" if watch else "get" if self.name else "list"
        elif method == "DELETE":
            verb = "delete" if self.name else "deletecollection"
        else:
            verb = _VERBS.get(method, method.lower())
        plural = self.kind.resource.plural
        resource = f"{plural}/{self.subresource}" if self.subresource else plural
        return Call(verb, resource, self.namespace or "", self.name or "")


def target_of(catalog: Catalog, parts: list[str]) -> Target:
    """The target of a path below /api or /apis. Raises NotFound for what is not served."""
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    else:
        group, version, rest = parts[1], parts[2], parts[3:]
    namespace = None
    if len(rest) > 2 and rest[0] == "namespaces" and not (group == "" and rest[2] in {"status", "finalize"}):
        namespace, rest = rest[1], rest[2:]
    if not 1 <= len(rest) <= 3:
        raise unknown_resource()
    kind = catalog.find(group, version, rest[0])
    name = rest[1] if len(rest) > 1 else None
    subresource = rest[2] if len(rest) > 2 else None
    if subresource is not None and subresource not in kind.subresources:
        raise not_found(kind.resource, name or "") if kind.custom else unknown_resource()
    if (namespace is not None and not kind.resource.namespaced) or (
        kind.resource.namespaced and name is not None and namespace is None
    ):
        raise unknown_resource()
    return Target(kind, namespace, name, subresource)


def form_of(accept: str) -> Form:
    """The form that the client likes best, of those that are served."""
    for choice in accept.split(","):
        if "as=Table" in choice and "v=v1" in choice and "v=v1beta1" not in choice:
            return "table"
        if "as=PartialObjectMetadata" in choice and "v=v1beta1" not in choice:
            return "metadata"
        if choice.strip().startswith(("application/json", "*/*")) and "as=" not in choice:
            return "object"
    return "object"


def body_of(data: bytes, content_type: str) -> Any:
    """The body of a request, parsed."""
    if len(data) > _LARGEST:
        raise Invalid("Request entity too large: limit is 3145728", 413, "RequestEntityTooLarge")
    if content_type == protobuf.CONTENT_TYPE:
        return protobuf.decode(data)
    try:
        if content_type == "application/yaml":
            return yaml.safe_load(data)
        if content_type and "json" not in content_type and content_type != "application/octet-stream":
            raise unsupported(f"the body of the request was in an unknown format: {content_type}")
        return orjson.loads(data)
    except (orjson.JSONDecodeError, yaml.YAMLError) as error:
        raise bad_request(f"the body of the request can't be read: {error}") from error


def write_of(query: Mapping[str, str]) -> Write:
    """How a write is to be taken, by its parameters."""
    fields = query.get("fieldValidation") or "Warn"
    if fields not in get_args(Fields):
        allowed = ", ".join(f'"{one}"' for one in get_args(Fields))
        cause = Cause("fieldValidation", f'Unsupported value: "{fields}": supported values: {allowed}', _UNSUPPORTED)
        raise rejected(None, "", [cause])
    dry = query.get("dryRun")
    if dry not in (None, "", "All"):
        cause = Cause("dryRun", f'Unsupported value: "{dry}": supported values: "All"', _UNSUPPORTED)
        raise rejected(None, "", [cause])
    return Write(fields, dry == "All")  # type: ignore[arg-type]  # checked above


def whole(query: Mapping[str, str], name: str) -> int | None:
    """A parameter that is a whole number."""
    text = query.get(name)
    if text in (None, ""):
        return None
    try:
        return int(str(text))
    except ValueError as error:
        raise bad_request(f'{name}: Invalid value: "{text}": must be a whole number') from error


def flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in {"1", "true", "t"}


def patch_type(content_type: str) -> str:
    """The patch's content type, if it is one that is served."""
    if content_type not in CONTENT_TYPES:
        known = ", ".join(CONTENT_TYPES)
        raise unsupported(f"the body of the request was in an unknown format - accepted media types include: {known}")
    return content_type


def status_body(error: ApiError) -> dict[str, Any]:
    """A refusal as a metav1.Status."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": error.message,
        "reason": error.reason,
        "details": error.details,
        "code": error.status,
    }
    if error.retry_after is not None:
        body["details"] = {**(error.details or {}), "retryAfterSeconds": int(error.retry_after)}
    return {key: value for key, value in body.items() if value not in ("", None)}
