"""Small forms of text that the API uses."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any


def timestamp(moment: datetime) -> str:
    """A metav1.Time: RFC 3339 to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parsed_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def encoded(value: Any) -> str:
    return base64.b64encode(str(value).encode()).decode()


def decoded(value: Any) -> bytes | None:
    """The bytes that a base64 text stands for; None if it is none."""
    try:
        return base64.b64decode(value or "", validate=True)
    except (binascii.Error, ValueError, TypeError):
        return None
