"""Logs of the process: one line an event, as text or JSON, with the run, task and UID that it is about.

    text    2025-04-01T12:00:00.123Z WARNING windlass.engine: ... run=data/daily-1 uid=… task=load
    JSON    {"time": "2025-…", "level": "warning", "logger": "windlass.engine", "message": "...", "run": …}

Credentials that slip into a message or a traceback are blotted out in what is written.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TextIO

from windlass.loglines import FIELDS

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
BLOT: Final = "[redacted]"

_SECRETS: Final = (
    # A private key, whole.
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), BLOT),
    # The user's part of a URL: git, databases, mail.
    (re.compile(r"(?P<keep>[a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/@'\"]+@"), rf"\g<keep>{BLOT}@"),
    # What a header says after its scheme.
    (re.compile(r"(?P<keep>\bbearer\s+)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\g<keep>{BLOT}"),
    (re.compile(r"(?P<keep>\bBasic\s+)(?=[a-z+/]*[A-Z0-9=])[A-Za-z0-9+/=]{6,}"), rf"\g<keep>{BLOT}"),
    # A JSON Web Token, such as those of service accounts.
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(\.[A-Za-z0-9_-]*)?"), BLOT),
    # name=value and "name": "value" of what is called a secret.
    (
        re.compile(
            r"(?P<keep>\b[A-Za-z0-9_-]*(?:password|passwd|token|secret|api[_-]?key)['\"]?\s*[=:]\s*['\"]?)"
            r"(?!\[redacted\])[^\s'\",;&})]{4,}",
            re.IGNORECASE,
        ),
        rf"\g<keep>{BLOT}",
    ),
)
_HINTS: Final = ("://", "bearer", "basic", "eyj", "passw", "token", "secret", "api", "private key")
"""Without one of these, none of the patterns matches: most lines are spared them."""


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


def redact(text: str) -> str:
    """`text` with what looks like a credential blotted out."""
    lower = text.lower()
    if not any(word in lower for word in _HINTS):
        return text
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class TextFormatter(logging.Formatter):
    """For people. The lines of a traceback follow, indented."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {key}={value}" for key, value in _fields(record).items())
        message = _one_line(record.getMessage())
        text = f"{_time(record)} {record.levelname:<7} {record.name}: {message}{fields}"
        if trace := _trace(self, record):
            text += "\n" + "\n".join(f"    {line}" for line in trace.splitlines())
        return redact(text)


class JsonFormatter(logging.Formatter):
    """For machines."""

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
            **{key: redact(str(value)) for key, value in _fields(record).items()},
        }
        if trace := _trace(self, record):
            event["trace"] = redact(trace)
        return json.dumps(event, ensure_ascii=False)


def levels(said: str) -> dict[str, str]:
    """The level of each module that `said` names, the empty name for all others: `info,windlass.engine=debug`.

    ValueError says what is wrong.
    """
    found = {"": "INFO"}
    for part in filter(None, (part.strip() for part in said.split(","))):
        module, equals, level = part.rpartition("=")
        if level.upper() not in LEVELS:
            raise ValueError(f"{level or part!r} is no level: write one of {', '.join(LEVELS).lower()}")
        if equals and not module:
            raise ValueError(f"{part!r} names no module: write windlass.engine={level}, or {level} for all")
        found[module] = level.upper()
    return found


def set_up(level: str = "info", form: LogFormat = LogFormat.TEXT, stream: TextIO | None = None) -> logging.Handler:
    """Have everything that is logged written to `stream` (standard error), in place of what was set up before.

    `level` is as `levels` reads it.
    """
    of_module = levels(level)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form is LogFormat.JSON else TextFormatter())
    logging.basicConfig(level=of_module.pop(""), handlers=[handler], force=True)
    # They say each request, or each retry, at INFO, and whole objects at DEBUG.
    for name in ("aiohttp", "asyncio", "kopf", "kubernetes", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for module, its_level in of_module.items():
        logging.getLogger(module).setLevel(its_level)
    return handler


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key in FIELDS if (value := getattr(record, key, None)) is not None}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    trace = formatter.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
    return "\n".join(part for part in (trace, record.stack_info) if part)


def _one_line(text: str) -> str:
    # Also against lines that somebody else's message would forge.
    return text.replace("\r", "\\r").replace("\n", "\\n")
