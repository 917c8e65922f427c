"""Finds git's own words in what git-sync says when it fails: JSON lines that quote a command's output."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_STDERR: Final = re.compile(r'stderr: "((?:[^"\\]|\\.)*)"', re.DOTALL)
_RAW_STDERR: Final = re.compile(r'stderr: \\"(.*?)\\" *}', re.DOTALL)
_LOGIN: Final = re.compile(r"://[^/\s@]+@")
_LIMIT: Final = 1024


def git_words(said: str) -> str:
    """What git wrote, or else git-sync's own error, or else all that there is; without the logins in its URLs."""
    return _LOGIN.sub("://…@", _words(said))


def _words(said: str) -> str:
    errors = [text for line in reversed(said.splitlines()) if (text := _error_of(line))]
    for error in errors:
        if (match := _STDERR.search(error)) and (words := _unquoted(match.group(1)).strip()):
            return words[:_LIMIT]
    raw = None if errors else _RAW_STDERR.search(said)  # of a line whose beginning was cut off
    if raw is not None and (words := _unquoted(_unquoted(raw.group(1))).strip()):
        return words[:_LIMIT]
    return (errors[0] if errors else said.strip())[:_LIMIT]


def _error_of(line: str) -> str:
    try:
        entry: Any = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(entry, dict):
        return ""
    found = entry.get("error") or entry.get("err") or entry.get("Err") or ""
    message = entry.get("msg") or entry.get("Msg") or ""
    return str(found or (message if entry.get("level") in (None, "error") else ""))


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text.replace('\\"', '"').replace("\\n", "\n")
