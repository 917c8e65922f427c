"""Between the form in which an object is stored and the version in which it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from windlass.dev.api.answers import bad_request
from windlass.dev.api.catalog import Kind
from windlass.dev.api.hub import Body, Stored

_NEW_EVENTS: Final = "events.k8s.io/v1"
_EVENT_NAMES: Final[Mapping[str, str]] = {
    "note": "message",
    "regarding": "involvedObject",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
"""Fields of events.k8s.io/v1, and what core/v1 calls them."""
_EVENT_NAMES_BACK: Final = {old: new for new, old in _EVENT_NAMES.items()}


def copied(body: Body) -> Body:
    """A copy that shares nothing. Raises Invalid for what is not JSON."""
    try:
        copy: Body = orjson.loads(orjson.dumps(body))
    except TypeError as error:
        raise bad_request(f"the object is not JSON: {error}") from error
    return copy


def to_storage(kind: Kind, body: Body) -> Body:
    """The object in the version that it is kept in."""
    if body["apiVersion"] == kind.storage_version:
        return body
    if body["apiVersion"] == _NEW_EVENTS:
        body = _renamed(body, _EVENT_NAMES)
    return {**body, "apiVersion": kind.storage_version}


def from_storage(kind: Kind, body: Body) -> Body:
    """A copy of the object in the version of `kind`."""
    form = copied(body)
    wanted = kind.resource.api_version
    if form["apiVersion"] == wanted:
        return form
    if wanted == _NEW_EVENTS:
        form = _renamed(form, _EVENT_NAMES_BACK)
    form["apiVersion"] = wanted
    return form


def raw_form(kind: Kind, stored: Stored) -> bytes:
    """The object as JSON in the version of `kind`."""
    if stored.raw and stored.body["apiVersion"] == kind.resource.api_version:
        return stored.raw
    return orjson.dumps(from_storage(kind, stored.body))


def item_form(kind: Kind, stored: Stored) -> bytes:
    """The object as an item of a list: those of built-in kinds do not say what they are."""
    raw = raw_form(kind, stored)
    if kind.custom:
        return raw
    head = b'{"apiVersion":"%s","kind":"%s",' % (kind.resource.api_version.encode(), kind.resource.kind.encode())
    if raw.startswith(head):
        return b"{" + raw[len(head) :]
    body = orjson.loads(raw)
    return orjson.dumps({key: value for key, value in body.items() if key not in {"apiVersion", "kind"}})


def _renamed(body: Mapping[str, Any], names: Mapping[str, str]) -> Body:
    return {names.get(key, key): value for key, value in body.items()}
