"""One rule of a resource: in CEL for the API server, and in Python for us, with one message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from windlass.models.findings import Path

Value = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition on an object, or on a change of it. The functions give the places where it is broken."""

    cel: str
    message: str
    breaks: Callable[[Value], Iterable[Path]] | None = None
    """For a condition on one object."""
    breaks_change: Callable[[Value, Value], Iterable[Path]] | None = None
    """For a condition on a change: from the second to the first."""
    field: str = ""
    """The field that the server points at, where it is not the object itself."""
    optional_old: bool = False
    """The CEL asks for the old object, and is evaluated also where there is none."""

    def as_cel(self) -> dict[str, Any]:
        """As an entry of `x-kubernetes-validations`."""
        entry: dict[str, Any] = {"rule": self.cel, "message": self.message}
        entry |= {"fieldPath": f".{self.field}"} if self.field else {}
        return entry | ({"optionalOldSelf": True} if self.optional_old else {})
