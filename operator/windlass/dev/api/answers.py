"""Refusals in the words of a Kubernetes API server, as the errors that all of Windlass knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from windlass.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    QuotaExceeded,
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


class Rejected(Invalid):
    """An object that breaks the rules of its kind: 422 with every cause."""

    def __init__(self, message: str, causes: Sequence[Cause]) -> None:
        super().__init__(message, 422, "Invalid")
        self.causes = tuple(causes)


def qualified(resource: Resource) -> str:
    """`plural.group`, or the plural alone in the core group."""
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def unknown_resource() -> NotFound:
    return NotFound("the server could not find the requested resource", 404, "NotFound")


def not_found(resource: Resource, name: str) -> NotFound:
    return NotFound(f'{qualified(resource)} "{name}" not found', 404, "NotFound")


def already_exists(resource: Resource, name: str) -> AlreadyExists:
    return AlreadyExists(f'{qualified(resource)} "{name}" already exists', 409, "AlreadyExists")


def conflict(resource: Resource, name: str, why: str = "") -> Conflict:
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    return Conflict(f'Operation cannot be fulfilled on {qualified(resource)} "{name}": {why}', 409, "Conflict")


def gone(message: str) -> Gone:
    return Gone(message, 410, "Expired")


def bad_request(message: str) -> Invalid:
    return Invalid(message, 400, "BadRequest")


def forbidden(resource: Resource, name: str, why: str) -> Forbidden:
    return Forbidden(f'{qualified(resource)} "{name}" is forbidden: {why}', 403, "Forbidden")


def over_quota(resource: Resource, name: str, why: str) -> QuotaExceeded:
    return QuotaExceeded(f'{qualified(resource)} "{name}" is forbidden: {why}', 403, "Forbidden")


def unprocessable(message: str) -> Invalid:
    return Invalid(message, 422, "Invalid")


def unsupported(message: str) -> ApiError:
    return Invalid(message, 415, "UnsupportedMediaType")


def rejected(resource: Resource, name: str, causes: Iterable[Cause]) -> Rejected:
    found = list(causes)
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    said = str(found[0]) if len(found) == 1 else f"[{', '.join(map(str, found))}]"
    return Rejected(f'{kind} "{name}" is invalid: {said}', found)
