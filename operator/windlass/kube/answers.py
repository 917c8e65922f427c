"""What an answer of the API server that is not success means, as windlass.errors."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from windlass.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    NotLeading,
    NotPermitted,
    QuotaExceeded,
    Refused,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)

QUOTA_WORDS: Final = ("exceeded quota", "status unknown for quota")
"""What a ResourceQuota says that may later let the same object through: it is used up, or not yet counted."""
FENCING_WORDS: Final = "from an older term of the lease"
"""What the chart's fencing policy says of what a process sends that leads no more."""
NOT_PERMITTED_WORDS: Final = re.compile(r'User ".*?" cannot \S+ (resource|path) "')
"""What the authorizer says, and no admission plugin does."""
UNKNOWN_OUTCOME: Final = frozenset({408, 502, 504})
"""No answer of the API itself: whether the request was carried out is not known."""


def error_of(verb: str, status: int, body: bytes, retry_after: str | None = None) -> ApiError:
    """The error that an answer stands for. `verb` is that of the request: a create meets other conflicts."""
    return error_of_status(verb, status, _read_status(body), body, _seconds(retry_after))


def error_of_status(
    verb: str, status: int, told: dict[str, Any], body: bytes = b"", retry_after: float | None = None
) -> ApiError:
    """The error that a `Status` object stands for."""
    reason = str(told.get("reason") or "")
    message = str(told.get("message") or "") or body[:300].decode("utf-8", "replace").strip()
    if not message:
        message = f"the API server answered {status} without a word"
    details = told.get("details")
    if retry_after is None and isinstance(details, dict) and isinstance(details.get("retryAfterSeconds"), (int, float)):
        retry_after = float(details["retryAfterSeconds"]) or None
    return _class_of(verb, status, reason, message)(message, status, reason, retry_after)


def _class_of(verb: str, status: int, reason: str, message: str) -> type[ApiError]:
    if status in (403, 422) and FENCING_WORDS in message:
        return NotLeading
    match status:
        case 401:
            return Unauthorized
        case 403:
            return _forbidden(message)
        case 404:
            return NotFound
        case 409:
            return _conflict(verb, reason, message)
        case 410:
            return Gone
        case 429:
            return TooManyRequests
        case 400 | 413 | 422:
            return Invalid
        case 500 if "timed out" in message:
            return Unreachable  # etcd has not answered the server: it may still carry the write out
        case _ if status in UNKNOWN_OUTCOME:
            return Unreachable
        case _ if status >= 500:
            return ServerError
        case _:
            return Refused


def _forbidden(message: str) -> type[ApiError]:
    if any(words in message for words in QUOTA_WORDS):
        return QuotaExceeded
    return NotPermitted if NOT_PERMITTED_WORDS.search(message) else Forbidden


def _conflict(verb: str, reason: str, message: str) -> type[ApiError]:
    if reason == "AlreadyExists":
        return AlreadyExists
    if verb != "create":
        return Conflict
    # A create has no version to be outdated: others updated the quota's count at the same moment.
    return QuotaExceeded if "quota" in message else ServerError


def _read_status(body: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) and told.get("kind") == "Status" else {}


def _seconds(retry_after: str | None) -> float | None:
    # The other form of the header, a date, is not used by Kubernetes.
    try:
        return max(0.0, float(retry_after)) if retry_after else None
    except ValueError:
        return None
