"""Refusals in the words of a Kubernetes API server, as the errors that all of Windlass knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from windlass.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    QuotaExceeded,
    ServerError,
)
from windlass.resources import Resource


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong with an object, and where."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


_Error = TypeVar("_Error", bound=ApiError)


def _about(error: _Error, resource: Resource, name: str, kind: str = "") -> _Error:
    details = {"name": name, "group": resource.group, "kind": kind or resource.plural}
    error.details = {key: value for key, value in details.items() if value}
    return error


def _bare(error: _Error) -> _Error:
    """An answer whose details are there, and empty."""
    error.details = {}
    return error


def qualified(resource: Resource) -> str:
    """`plural.group`, or the plural alone in the core group."""
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def unknown_resource() -> NotFound:
    return _bare(NotFound("the server could not find the requested resource", 404, "NotFound"))


def not_allowed() -> ApiError:
    said = "the server does not allow this method on the requested resource"
    return _bare(ApiError(said, 405, "MethodNotAllowed"))


def not_found(resource: Resource, name: str) -> NotFound:
    return _about(NotFound(f'{qualified(resource)} "{name}" not found', 404, "NotFound"), resource, name)


def already_exists(resource: Resource, name: str) -> AlreadyExists:
    said = f'{qualified(resource)} "{name}" already exists'
    return _about(AlreadyExists(said, 409, "AlreadyExists"), resource, name)


def conflict(resource: Resource, name: str, why: str = "") -> Conflict:
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    said = f'Operation cannot be fulfilled on {qualified(resource)} "{name}": {why}'
    return _about(Conflict(said, 409, "Conflict"), resource, name)


def another_one(resource: Resource, name: str, word: str, wanted: str, got: str) -> Conflict:
    """A delete named by its precondition an object that is not this one."""
    why = f"the {word} in the precondition ({wanted}) does not match the {word} in record ({got})"
    said = f'Operation cannot be fulfilled on {resource.kind} "{name}": {why}. The object might have been '
    return _about(Conflict(f"{said}deleted and then recreated", 409, "Conflict"), resource, name, resource.kind)


def gone(message: str) -> Gone:
    return Gone(message, 410, "Expired")


def bad_request(message: str) -> Invalid:
    return Invalid(message, 400, "BadRequest")


def forbidden(resource: Resource, name: str, why: str) -> Forbidden:
    said = f'{qualified(resource)} "{name}" is forbidden: {why}'
    return _about(Forbidden(said, 403, "Forbidden"), resource, name)


def over_quota(resource: Resource, name: str, why: str) -> QuotaExceeded:
    said = f'{qualified(resource)} "{name}" is forbidden: {why}'
    return _about(QuotaExceeded(said, 403, "Forbidden"), resource, name)


def unprocessable(message: str) -> Invalid:
    return _bare(Invalid(message, 422, "Invalid"))


def unsupported(message: str) -> Invalid:
    return _bare(Invalid(message, 415, "UnsupportedMediaType"))


def too_large() -> ServerError:
    """What the store of a real cluster says to an object beyond its limit."""
    return ServerError("etcdserver: request is too large", 500)


def rejected(resource: Resource | None, name: str, causes: Iterable[Cause]) -> Invalid:
    """An object that breaks the rules of its kind: 422 with every cause."""
    found = list(causes)
    kind = "" if resource is None else f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    said = str(found[0]) if len(found) == 1 else f"[{', '.join(map(str, found))}]"
    error = Invalid(f'{kind} "{name}" is invalid: {said}', 422, "Invalid")
    told = [{"reason": one.reason, "message": one.message, "field": one.field} for one in found]
    if resource is not None:
        _about(error, resource, name, resource.kind)
    error.details = {**(error.details or {}), "causes": told}
    return error


def bad_patch(patched: str, why: str) -> Invalid:
    """A patch that leads to an object with fields that its kind does not know."""
    return rejected(None, "", [Cause("patch", f"Invalid value: {patched}: {why}")])
