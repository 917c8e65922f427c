"""What the models of all kinds share: the base class, and the types of scalar fields."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

JsonObject = dict[str, Any]


class Model(BaseModel):
    """A part of a resource: camelCase in manifests, snake_case here, immutable once read."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, use_attribute_docstrings=True
    )


DURATION_PATTERN: Final = r"^(0|([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+)$"
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

Duration = Annotated[str, Field(pattern=DURATION_PATTERN, max_length=32)]
"""A length of time: `500ms`, `90s`, `1h30m`, `2d`."""

Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"}, max_length=40)]
"""An instant, RFC 3339 in UTC: `2025-04-01T17:00:00Z`."""


def seconds(duration: str) -> float:
    """The length of a Duration in seconds. ValueError when it is none."""
    if not re.fullmatch(DURATION_PATTERN, duration):
        raise ValueError(f"{duration!r} is no duration: write 500ms, 90s, 1h30m or 2d")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(duration))


def delta(duration: str) -> timedelta:
    """The length of a Duration."""
    return timedelta(seconds=seconds(duration))


def parse_time(text: str) -> datetime:
    """The instant that an RFC 3339 text names, in UTC. ValueError when it names none or has no zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: write {text}Z for UTC")
    return moment.astimezone(UTC)


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC; to the microsecond where there is a fraction of a second."""
    moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")
