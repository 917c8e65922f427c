"""Between the form in which an object is stored and the version in which it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

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


def to_storage(kind: Kind, body: Body) -> Body:
    """The object in the version that it is kept in."""
    if body["apiVersion"] == kind.storage_version:
        return body
    if body["apiVersion"] == _NEW_EVENTS:
        body = _renamed(body, _EVENT_NAMES)
    return {**body, "apiVersion": kind.storage_version}


def from_storage(kind: Kind, body: Body) -> Body:
    """A copy of the object in the version of `kind`."""
    copied: Body = orjson.loads(orjson.dumps(body))
    wanted = kind.resource.api_version
    if copied["apiVersion"] == wanted:
        return copied
    if wanted == _NEW_EVENTS:
        copied = _renamed(copied, _EVENT_NAMES_BACK)
    copied["apiVersion"] = wanted
    return copied


def raw_form(kind: Kind, stored: Stored) -> bytes:
    """The object as JSON in the version of `kind`."""
    if stored.raw and stored.body["apiVersion"] == kind.resource.api_version:
        return stored.raw
    return orjson.dumps(from_storage(kind, stored.body))


def _renamed(body: Mapping[str, Any], names: Mapping[str, str]) -> Body:
    return {names.get(key, key): value for key, value in body.items()}
