"""Names, metadata and the path of an object through its kind's defaults and checks, before it is stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from windlass.dev.api.answers import Cause, bad_request, rejected, unsupported
from windlass.dev.api.builtin import CHECKS, DEFAULTS, SCHEMAS, SPEC_KEPT
from windlass.dev.api.catalog import Kind
from windlass.dev.api.forms import copied
from windlass.dev.api.hub import Body
from windlass.dev.api.schema import Structural
from windlass.errors import ApiError, Invalid
from windlass.resources import Resource

Fields = Literal["Ignore", "Warn", "Strict"]
"""What happens to fields that a kind does not know."""
Validator = Callable[[Mapping[str, Any], Mapping[str, Any] | None], Sequence[str]]
"""What is wrong with an object (new, old), beyond its schema: `path: message`."""

_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?\Z")
_LABEL_NAME: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\Z")
_KEPT_META: Final = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
_RBAC: Final = "rbac.authorization.k8s.io"
_MANAGED_BY_SERVER: Final = ("managedFields", "selfLink", "resourceVersion")

_SUBDOMAIN_SAID: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_SAID: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


def check_type(kind: Kind, body: Any) -> Body:
    """The object, if it says that it is of this kind."""
    if not isinstance(body, dict):
        raise bad_request("the body is not an object")
    wanted, got = kind.resource.api_version, body.get("apiVersion")
    if got != wanted:
        raise bad_request(f"the API version in the data ({got}) does not match the expected API version ({wanted})")
    if body.get("kind") != kind.resource.kind:
        raise bad_request(f"the kind in the data ({body.get('kind')}) does not match the expected kind")
    if not isinstance(body.setdefault("metadata", {}), dict):
        raise bad_request("metadata is not an object")
    return body


def clean_fields(kind: Kind, body: Body, fields: Fields) -> list[str]:
    """Remove what the kind does not know; refuse it, or return warnings, as `fields` says."""
    schema = kind.schema or SCHEMAS.get(kind.storage)
    if schema is None:
        return []
    if not kind.custom:
        _decode(kind, schema, body)
    unknown = list(schema.unknown(body, root=True))
    if kind.custom:
        unknown.sort()
    if not unknown or fields == "Ignore":
        return []
    said = [f'unknown field "{path}"' for path in unknown]
    if fields == "Strict":
        resource = kind.resource
        raise bad_request(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
            f"strict decoding error: {', '.join(said)}"
        )
    return said


def _decode(kind: Kind, schema: Structural, body: Body) -> None:
    """Refuse a value that has not the type of its field, as a server does that reads into typed objects."""
    for cause in schema.causes(body):
        if cause.reason == "FieldValueTypeInvalid":
            named = f'{kind.resource.kind} in version "{kind.resource.version}"'
            raise bad_request(f"{named} cannot be handled as a {kind.resource.kind}: {cause}")


def stamp_new(body: Body, *, now: str, uid: str, counts: bool) -> None:
    """Give a new object the metadata that only the server gives."""
    meta = body["metadata"]
    for name in (*_MANAGED_BY_SERVER, *_KEPT_META):
        meta.pop(name, None)
    meta["uid"] = uid
    meta["creationTimestamp"] = now
    if counts:
        meta["generation"] = 1


def fill(kind: Kind, body: Body, now: datetime) -> None:
    """Write the kind's defaults."""
    if kind.schema is not None:
        kind.schema.fill(body)
    defaults = DEFAULTS.get(kind.storage)
    if defaults is not None:
        defaults(body, now)


def carry_over(kind: Kind, body: Body, old: Body, subresource: str | None) -> Body:
    """What an update leaves as it was: server-kept metadata, and the part that its subresource does not reach."""
    has_status = "status" in kind.subresources
    if subresource == "status" and kind.custom:
        kept = copied({key: value for key, value in old.items() if key != "status"})
        body = {key: value for key, value in {**kept, "status": body.get("status")}.items() if value is not None}
    elif subresource == "status":
        body = {**body, **copied({key: old[key] for key in SPEC_KEPT if key in old})}
    elif subresource == "binding":
        node = body["spec"]["nodeName"]
        body = copied(old)
        body["spec"]["nodeName"] = node
    elif has_status:
        body = {key: value for key, value in body.items() if key != "status"}
        if "status" in old:
            body["status"] = copied(old["status"])
    meta = {key: value for key, value in body["metadata"].items() if key not in _KEPT_META + _MANAGED_BY_SERVER}
    meta |= {key: old["metadata"][key] for key in _KEPT_META if key in old["metadata"]}
    body = {**body, "metadata": meta}
    if not meta.get("finalizers"):
        meta.pop("finalizers", None)
    if (
        kind.counts_generation
        and subresource != "binding"
        and _generation_parts(kind, body) != _generation_parts(kind, old)
    ):
        meta["generation"] = old["metadata"].get("generation", 0) + 1
    return body


def _generation_parts(kind: Kind, body: Body) -> Body:
    ignored = {"metadata", "status"} if "status" in kind.subresources else {"metadata"}
    return {key: value for key, value in body.items() if key not in ignored}


def check(kind: Kind, body: Body, old: Body | None, validators: Sequence[Validator], subresource: str | None) -> None:
    """Refuse an object that breaks the rules of its kind, with everything that is wrong."""
    causes = list(_meta_causes(kind, body, old))
    if kind.schema is not None:
        causes += kind.schema.causes({key: value for key, value in body.items() if key != "metadata"})
    checks = CHECKS.get(kind.storage)
    if checks is not None and subresource is None:
        causes += checks(body, old)
    if not causes:
        for validator in validators:
            for said in validator(body, old):
                path, _, message = said.partition(": ")
                causes.append(Cause(path, f"Invalid value: {message or path}"))
    if causes:
        raise rejected(kind.resource, body["metadata"].get("name", ""), causes)


def _meta_causes(kind: Kind, body: Body, old: Body | None) -> Iterator[Cause]:
    meta = body["metadata"]
    if old is None:
        yield from _name_causes(kind, meta)
    for key, value in (meta.get("labels") or {}).items():
        yield from _label_causes(key, value)
    for name, value in (meta.get("annotations") or {}).items():
        if not isinstance(value, str):
            yield Cause("metadata.annotations", f'Invalid value: "{name}": must be a string')
    for index, owner in enumerate(meta.get("ownerReferences") or ()):
        for part in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(part):
                yield Cause(f"metadata.ownerReferences[{index}].{part}", 'Invalid value: "": must not be empty')
    if old is not None and "deletionTimestamp" in meta:
        added = set(meta.get("finalizers") or ()) - set(old["metadata"].get("finalizers") or ())
        if added:
            said = "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
            yield Cause("metadata.finalizers", f"{said}[]string{{{', '.join(f'{x!r}' for x in sorted(added))}}}")
    for name in meta.get("finalizers") or ():
        if _LABEL_NAME.match(name.rpartition("/")[2]) is None:
            said = f"Invalid value: \"{name}\": name part must consist of alphanumeric characters, '-', '_' or '.'"
            yield Cause("metadata.finalizers", said)


def _name_causes(kind: Kind, meta: Body) -> Iterator[Cause]:
    name = meta.get("name")
    if not name:
        yield Cause("metadata.name", "Required value: name or generateName is required", "FieldValueRequired")
        return
    if kind.resource.group == _RBAC:
        return
    if kind.storage in {("", "namespaces"), ("", "services")}:
        pattern, limit, said = _LABEL, 63, _LABEL_SAID
    else:
        pattern, limit, said = _SUBDOMAIN, 253, _SUBDOMAIN_SAID
    if len(name) > limit:
        yield Cause("metadata.name", f'Invalid value: "{name}": must be no more than {limit} characters')
    if pattern is _LABEL and "." in name:
        yield Cause("metadata.name", f'Invalid value: "{name}": must not contain dots')
    elif pattern.match(name) is None:
        yield Cause("metadata.name", f'Invalid value: "{name}": {said}')


def _label_causes(key: str, value: Any) -> Iterator[Cause]:
    prefix, slash, name = key.rpartition("/")
    if (slash and not _SUBDOMAIN.match(prefix)) or not _LABEL_NAME.match(name) or len(name) > 63:
        yield Cause("metadata.labels", f'Invalid value: "{key}": name part must consist of alphanumeric characters')
    if not isinstance(value, str):
        yield Cause("metadata.labels", f'Invalid value: "{key}": must be a string')
    elif len(value) > 63:
        yield Cause("metadata.labels", f'Invalid value: "{value}": must be no more than 63 bytes')
    elif not _LABEL_VALUE.match(value):
        said = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'"
        yield Cause("metadata.labels", f'Invalid value: "{value}": {said}')


def unversioned(kind: Kind, name: str) -> Invalid:
    """An update of a kind that wants to know what it is based on."""
    said = "Invalid value: 0: must be specified for an update"
    resource = kind.resource
    by_plural = Resource(resource.group, resource.version, resource.plural, resource.plural)
    return rejected(by_plural, name, [Cause("metadata.resourceVersion", said)])


def no_strategic() -> ApiError:
    """Custom resources know no strategic merge patch."""
    error = unsupported(
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    )
    error.details = None
    return error
