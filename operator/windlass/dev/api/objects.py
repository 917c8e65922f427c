"""Requests for objects, to answers: everything but watches and logs, which stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from windlass.dev.api.answers import bad_request, not_allowed
from windlass.dev.api.catalog import Kind
from windlass.dev.api.forms import from_storage, item_form, raw_form
from windlass.dev.api.hub import Body
from windlass.dev.api.pages import Pages
from windlass.dev.api.requests import Form, Target, body_of, patch_type, whole, write_of
from windlass.dev.api.store import Store, Write
from windlass.dev.api.tables import Include, partial, table


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for an object or a collection."""

    method: str
    target: Target
    query: Mapping[str, str]
    data: bytes = b""
    content_type: str = ""
    form: Form = "object"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is complete."""

    body: bytes
    status: int = 200
    warnings: Sequence[str] = field(default_factory=tuple)


class Objects:
    """Reads and writes the store as requests ask for it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.pages = Pages()

    def answer(self, asked: Asked) -> Reply:
        """Carry out a request. Raises ApiError."""
        match asked.method, asked.target.name is not None:
            case (("GET" | "HEAD"), True):
                return self._get(asked)
            case (("GET" | "HEAD"), False):
                return self._list(asked)
            case "POST", _:
                return self._create(asked)
            case "PUT", True:
                return self._replace(asked)
            case "PATCH", True:
                return self._patch(asked)
            case "DELETE", True:
                return self._delete(asked)
            case "DELETE", False:
                return self._delete_all(asked)
        raise not_allowed()

    def _get(self, asked: Asked) -> Reply:
        target = asked.target
        stored = self._store.read(target.kind, target.namespace, target.name or "")
        if asked.form == "object":
            return Reply(raw_form(target.kind, stored))
        meta = {"resourceVersion": stored.body["metadata"]["resourceVersion"]}
        return Reply(self.shaped(target.kind, [stored.body], meta, asked))

    def _list(self, asked: Asked) -> Reply:
        kind = asked.target.kind
        limit, token = whole(asked.query, "limit"), asked.query.get("continue")
        if token:
            found, meta = self.pages.next(token, limit)
        else:
            selector, fields = asked.query.get("labelSelector", ""), asked.query.get("fieldSelector", "")
            match = self._store.match(kind, selector, fields)
            matching = self._store.select(kind, asked.target.namespace, match)
            found, meta = self.pages.first(matching, self._store.version, limit)
            if match is not None:
                meta.pop("remainingItemCount", None)
        if asked.form == "table":
            return Reply(self.shaped(kind, [stored.body for stored in found], meta, asked))
        if asked.form == "metadata":
            items = b",".join(orjson.dumps(partial(stored.body)) for stored in found)
            return Reply(_listed("PartialObjectMetadataList", "meta.k8s.io/v1", meta, items))
        items = b",".join([item_form(kind, stored) for stored in found])
        return Reply(_listed(f"{kind.resource.kind}List", kind.resource.api_version, meta, items))

    def shaped(self, kind: Kind, bodies: Sequence[Body], meta: Body, asked: Asked) -> bytes:
        """Objects as a table, or one of them as its metadata."""
        if asked.form == "metadata":
            return orjson.dumps(partial(bodies[0]))
        include: Any = asked.query.get("includeObject") or "Metadata"
        if include == "Object":
            bodies = [from_storage(kind, body) for body in bodies]
        return orjson.dumps(table(kind, bodies, self._store.now(), meta, _include(include)))

    def _create(self, asked: Asked) -> Reply:
        target, how = asked.target, write_of(asked.query)
        body = body_of(asked.data, asked.content_type)
        if not isinstance(body, dict):
            raise bad_request("the body of the request is not an object")
        if target.subresource == "binding" or body.get("kind") == "Binding":
            return self._bind(target, body)
        if target.name is not None:
            raise not_allowed()
        _complete(target, body)
        created = self._store.create(target.kind.resource, body, how)
        return self._written(asked, created, how, 201)

    def _bind(self, target: Target, body: Body) -> Reply:
        name = target.name or (body.get("metadata") or {}).get("name", "")
        patch = {"spec": {"nodeName": body["target"]["name"]}}
        self._store.patch(target.kind.resource, target.namespace, name, patch, "merge", "binding")
        return Reply(orjson.dumps(_success()), 201)

    def _replace(self, asked: Asked) -> Reply:
        target, how = asked.target, write_of(asked.query)
        body = body_of(asked.data, asked.content_type)
        if not isinstance(body, dict):
            raise bad_request("the body of the request is not an object")
        _complete(target, body)
        meta = body["metadata"]
        if meta.get("name", target.name) != target.name:
            raise bad_request(
                f"the name of the object ({meta['name']}) does not match the name on the URL ({target.name})"
            )
        meta["name"] = target.name
        return self._written(asked, self._store.replace(target.kind.resource, body, target.subresource, how), how)

    def _patch(self, asked: Asked) -> Reply:
        target, how = asked.target, write_of(asked.query)
        kind = patch_type(asked.content_type)
        patch = body_of(asked.data, "application/json")
        patched = self._store.patch(
            target.kind.resource, target.namespace, target.name or "", patch, kind, target.subresource, how
        )
        return self._written(asked, patched, how)

    def _written(self, asked: Asked, body: Body, how: Write, status: int = 200) -> Reply:
        if asked.form == "object":
            return Reply(orjson.dumps(body), status, how.warnings)
        meta = {"resourceVersion": body["metadata"].get("resourceVersion", "")}
        stored = self._store.find(asked.target.kind.storage, (asked.target.namespace or "", body["metadata"]["name"]))
        shaped = self.shaped(asked.target.kind, [stored.body if stored else body], meta, asked)
        return Reply(shaped, status, how.warnings)

    def _delete(self, asked: Asked) -> Reply:
        target = asked.target
        resource, name = target.kind.resource, target.name or ""
        uid = self._store.read(target.kind, target.namespace, name).body["metadata"]["uid"]
        body = self._store.delete(resource, target.namespace, name, **_deletion(asked))
        found = self._store.find(target.kind.storage, (target.namespace or "", name))
        still_there = found is not None and found.body["metadata"]["uid"] == uid
        if still_there or target.kind.storage in _RETURNED:
            return Reply(orjson.dumps(body))
        details = {"name": name, "group": resource.group, "kind": resource.plural, "uid": uid}
        return Reply(orjson.dumps(_success({key: value for key, value in details.items() if value})))

    def _delete_all(self, asked: Asked) -> Reply:
        target = asked.target
        selector, fields = asked.query.get("labelSelector", ""), asked.query.get("fieldSelector", "")
        match = self._store.match(target.kind, selector, fields)
        options, version = _deletion(asked), self._store.version
        found = self._store.select(target.kind, target.namespace, match)
        for stored in found:
            meta = stored.body["metadata"]
            self._store.delete(target.kind.resource, meta.get("namespace"), meta["name"], **options)
        items = b",".join(item_form(target.kind, stored) for stored in found)
        resource = target.kind.resource
        return Reply(_listed(f"{resource.kind}List", resource.api_version, {"resourceVersion": str(version)}, items))


_RETURNED = frozenset(("", plural) for plural in ("pods", "persistentvolumeclaims", "serviceaccounts", "services"))
"""The kinds whose delete answers with the object, even when it is gone."""


def _listed(kind: str, api_version: str, meta: Body, items: bytes) -> bytes:
    head = b'{"kind":"%s","apiVersion":"%s","metadata":%s,"items":['
    return head % (kind.encode(), api_version.encode(), orjson.dumps(meta)) + items + b"]}"


def _success(details: Body | None = None) -> Body:
    body: Body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return body | ({"details": details} if details else {"code": 201})


def _complete(target: Target, body: Body) -> None:
    """Let the URL say what the body leaves out; refuse it where they differ."""
    meta = body.get("metadata")
    if meta is None:
        meta = body["metadata"] = {}
    if not isinstance(meta, dict):
        raise bad_request("metadata is not an object")
    body.setdefault("apiVersion", target.kind.resource.api_version)
    body.setdefault("kind", target.kind.resource.kind)
    if target.namespace is None:
        return
    if meta.get("namespace") not in (None, "", target.namespace):
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    meta["namespace"] = target.namespace


def _include(text: str) -> Include:
    match text:
        case "None":
            return "None"
        case "Object":
            return "Object"
        case "Metadata":
            return "Metadata"
    raise bad_request(f'includeObject: Unsupported value: "{text}": supported values: "Metadata", "None", "Object"')


def _deletion(asked: Asked) -> dict[str, Any]:
    """The options of a delete, from its body or its query."""
    options = body_of(asked.data, asked.content_type) if asked.data else {}
    if not isinstance(options, dict):
        raise bad_request("the body of a delete is not DeleteOptions")
    grace = options.get("gracePeriodSeconds")
    conditions = options.get("preconditions") or {}
    orphan = "Orphan" if options.get("orphanDependents") else None
    dry = options.get("dryRun") or asked.query.get("dryRun")
    return {
        "grace": grace if grace is not None else whole(asked.query, "gracePeriodSeconds"),
        "uid": conditions.get("uid"),
        "version": conditions.get("resourceVersion"),
        "propagation": options.get("propagationPolicy")
        or orphan
        or asked.query.get("propagationPolicy")
        or "Background",
        "how": Write(dry_run=bool(dry)),
    }
