"""What the models of all kinds share: the base class, and the types of scalar fields."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationInfo
from pydantic.alias_generators import to_camel

JsonObject = dict[str, Any]


class Model(BaseModel):
    """A part of a resource: camelCase in manifests, snake_case here, immutable once read."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, use_attribute_docstrings=True
    )


def _instant(text: str) -> str:
    try:
        parse_time(text)
    except OverflowError as error:
        raise ValueError("it is beyond the calendar") from error
    return text


READ: Final = "read"
"""The context in which models are made of what somebody else wrote; what we write ourselves is not looked at twice."""


def _stored_instant(text: str, info: ValidationInfo) -> str:
    return _instant(text) if info.context == READ else text


DURATION_PATTERN: Final = (
    r"^(0|([0-9]{1,6}(\.[0-9]{1,3})?(ms|s|m|h)|[0-9]{1,5}(\.[0-9]{1,3})?d)+)$"  # small enough for any calendar
)
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

Duration = Annotated[str, Field(pattern=DURATION_PATTERN, max_length=32)]
"""A length of time: `500ms`, `90s`, `1h30m`, `2d`."""

Timestamp = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, max_length=40), AfterValidator(_stored_instant)
]
"""An instant, RFC 3339 in UTC: `2025-04-01T17:00:00Z`."""

INSTANT_PATTERN: Final = (
    r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
Instant = Annotated[
    str,
    Field(pattern=INSTANT_PATTERN, json_schema_extra={"format": "date-time"}, max_length=32),
    AfterValidator(_instant),
]
"""An instant that a person writes, RFC 3339 with a zone: `2025-04-01T17:00:00Z`."""

NAME_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
OBJECT_NAME_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
API_VERSION_PATTERN: Final = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?v[a-z0-9]+$"
MOMENT_PATTERN: Final = INSTANT_PATTERN.replace("T", "(T", 1).removesuffix("$") + ")?$"
DATE_PATTERN: Final = r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
MOUNT_PATH_PATTERN: Final = r"^/[^:]+$"
ASSET_PATTERN: Final = r"^[A-Za-z0-9_]([-._A-Za-z0-9]*[A-Za-z0-9_])?(/[A-Za-z0-9_]([-._A-Za-z0-9]*[A-Za-z0-9_])?)*$"
QUANTITY_PATTERN: Final = r"^[0-9]+(\.[0-9]+)?([KMGTPE]i|[kMGTPE])?$"

MountPath = Annotated[str, Field(pattern=MOUNT_PATH_PATTERN, max_length=1024)]
"""An absolute path in a container, other than `/`."""
Quantity = Annotated[str, Field(pattern=QUANTITY_PATTERN, max_length=32)]
"""An amount of bytes as Kubernetes writes it: `512Mi`, `1Gi`, `2G`."""

PATTERN_WORDS: Final = {
    DURATION_PATTERN: "is no duration: write 500ms, 90s, 1h30m or 2d",
    INSTANT_PATTERN: "is no instant: write 2025-04-01T17:00:00Z",
    NAME_PATTERN: "is no name: use lower-case letters, digits and '-', beginning and ending with a letter or digit",
    OBJECT_NAME_PATTERN: "is no name of an object: use lower-case letters, digits, '-' and '.', beginning and ending "
    "with a letter or digit",
    API_VERSION_PATTERN: "is no apiVersion: write v1, or batch/v1 with the group",
    MOMENT_PATTERN: "is no day and no instant: write 2025-04-01, or 2025-04-01T17:00:00Z",
    DATE_PATTERN: "is no day: write 2026-12-25",
    MOUNT_PATH_PATTERN: "is no mount path: write an absolute path without ':', such as /workspace/data",
    ASSET_PATTERN: "is no name of an asset: write letters, digits, '-', '_' and '.', in parts by '/': sales/daily",
    QUANTITY_PATTERN: "is no amount of bytes: write 512Mi, 1Gi or 2G",
}
"""What to tell a person whose text doesn't match."""

SERVER_DEFAULT: Final[dict[str, JsonValue]] = {"serverDefault": True}
"""Marks a field whose default the API server writes into objects, so that people see it and later versions keep it."""


def list_map(*keys: str) -> dict[str, JsonValue]:
    """Marks a list whose entries the API server tells apart by `keys`, and refuses twice."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [*keys]}


LIST_SET: Final[dict[str, JsonValue]] = {"x-kubernetes-list-type": "set"}
"""Marks a list in which the API server refuses a value twice."""


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
