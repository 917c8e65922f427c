"""Reads the outputs of a task from the termination message of its container."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

INVALID: Final = "OutputsInvalid"
TOO_LARGE: Final = "OutputsTooLarge"
MAX_DEPTH: Final = 32
MAX_RUN_OUTPUTS: Final = 524_288
"""Bytes that the outputs of all tasks of a run may have together, as JSON."""


class OutputsError(Exception):
    """The outputs can't be taken. `reason` is OutputsInvalid or OutputsTooLarge."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def read_outputs(message: str, truncated: bool, limit: int) -> dict[str, Any] | None:
    """The JSON object that a task wrote, None when it wrote nothing. `limit` is the number of bytes that Kubernetes
    keeps of the message, `truncated` says that the message reached it."""
    if truncated or len(message.encode(errors="replace")) > limit:
        raise OutputsError(
            TOO_LARGE,
            f"the outputs have {limit} bytes or more, and Kubernetes keeps no more of them: "
            "write what is large to the workspace or to object storage, and put its address out",
        )
    if not message.strip():
        return None
    try:
        value = json.loads(message, parse_constant=_no_number, object_pairs_hook=_object)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise OutputsError(
            INVALID, f"the outputs are no JSON: {error}; they begin with {_beginning(message)}"
        ) from None
    if not isinstance(value, dict):
        raise OutputsError(INVALID, f"the outputs are no JSON object, but begin with {_beginning(message)}")
    _check(value, 1)
    return value


def _beginning(message: str) -> str:
    return json.dumps(message[:40], ensure_ascii=False)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
        raise ValueError(f"the key {_beginning(twice)} is there twice")
    return made


def _too_deep() -> OutputsError:
    return OutputsError(INVALID, f"the outputs are nested more than {MAX_DEPTH} levels deep")


def _check(value: Any, depth: int) -> None:
    """Refuse what could not be stored: depth without end, numbers that are none, halves of characters."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, int | float) and not -(2**63) <= value < 2**63:
        # The API server keeps whole numbers in 64 bits, and would store another number.
        raise OutputsError(INVALID, f"the outputs hold the number {value:.6g}, too large to keep: write it as a string")
    elif isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise OutputsError(INVALID, "the outputs hold half a surrogate pair, which is no text")
