"""When a Workflow runs by itself: by the clock, or after other Workflows and data.

What an expression means, and whether a schedule can ever fire, is told by `windlass.plan.schedule`.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from windlass.models.asset import AssetName
from windlass.models.common import DATE_PATTERN, OBJECT_NAME_PATTERN, SERVER_DEFAULT, Duration, Instant, Model

MAX_CRON: Final = 256
"""Characters of one expression."""
MAX_CRONS: Final = 32
"""Expressions of one schedule."""


class CatchUp(StrEnum):
    """Which of the slots that were missed are run afterwards."""

    NONE = "None"
    LATEST = "Latest"
    ALL = "All"


class Interval(StrEnum):
    """What a slot's run is about: the moment that it fires at, or the interval that begins with its logical date."""

    TRIGGER = "Trigger"
    DATA_INTERVAL = "DataInterval"


class Shift(StrEnum):
    """What becomes of a slot on a day that the calendar excludes."""

    SKIP = "Skip"
    NEXT = "Next"
    PREVIOUS = "Previous"


class Weekday(StrEnum):
    """A day of the week."""

    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


class SourceEnd(StrEnum):
    """Which ends of another Workflow's run count."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ENDED = "Ended"


def _one_or_several(value: Any) -> str | list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError('it must be a cron expression such as "0 2 * * *", or a list of them')
    if not texts:
        raise ValueError("the list is empty: it must have at least one cron expression")
    if len(texts) > MAX_CRONS:
        raise ValueError(f"there are {len(texts)} expressions, and at most {MAX_CRONS} are allowed")
    if any(len(text) > MAX_CRON for text in texts):
        raise ValueError(f"an expression has at most {MAX_CRON} characters")
    return value if isinstance(value, str) else list(value)


# A structural schema has no unions: the server bounds what is there, the controller says what it must be.
_CRON_SCHEMA: Final = {"minLength": 1, "maxLength": MAX_CRON, "minItems": 1, "maxItems": MAX_CRONS}
Cron = Annotated[str | list[str], PlainValidator(_one_or_several), WithJsonSchema(_CRON_SCHEMA)]
"""A cron expression, or a list of them."""


def _day(text: str) -> str:
    if re.match(DATE_PATTERN, text):
        date.fromisoformat(text)
    return text


Day = Annotated[str, Field(pattern=DATE_PATTERN, max_length=10), AfterValidator(_day)]
"""A day of the calendar: `2026-12-25`."""


class CalendarConfigMap(Model):
    """A ConfigMap that holds days."""

    name: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=253)]
    """Its name, in the Workflow's namespace."""
    key: Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]+$", min_length=1, max_length=253)] | None = None
    """The key whose value lists days such as `2026-12-25`, one a line; what follows a day on its line is a comment.
    By default all keys count, and a key that is a day itself is one."""

    @property
    def ref(self) -> str:
        """The ConfigMap and key in a word: `holidays`, `holidays/korea`."""
        return f"{self.name}/{self.key}" if self.key else self.name


class Calendar(Model):
    """Days, in the schedule's time zone."""

    dates: Annotated[list[Day], Field(max_length=1000)] = []
    """Days by their date: `2026-12-25`."""
    weekdays: Annotated[list[Weekday], Field(max_length=7)] = []
    """Days of the week: `MON` to `SUN`."""
    config_map: CalendarConfigMap | None = None
    """A ConfigMap of days, such as the holidays of a country."""


YAML_ON: Final = "true"
"""What `on` arrives as when it is a key without quotes: YAML 1.1, which kubectl reads, takes it for a truth value."""


def _with_yaml_on(schema: dict[str, Any]) -> None:
    described = {"description": "`on`, as YAML reads it without quotes."}
    schema["properties"][YAML_ON] = {**schema["properties"]["on"], **described}


class AfterSource(Model):
    """What a run waits for: the run of another Workflow, or data. Exactly one of `workflow` and `asset` is given."""

    model_config = ConfigDict(json_schema_extra=_with_yaml_on)

    workflow: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=49)] | None = None
    """The name of a Workflow in the same namespace."""
    on: SourceEnd = SourceEnd.SUCCEEDED  # no default of the server's, which would stand beside YAML's other word for it
    """Which ends of its runs count: Ended is any end. Succeeded by default."""
    within: Duration | None = None
    """In `all`: how old the event may be when the last of the others happens. Any age by default."""
    asset: AssetName | None = None
    """Data that a task of any Workflow in the namespace names in `produces`: `sales/daily`."""

    @model_validator(mode="before")
    @classmethod
    def _read_yaml_on(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "on" in value:
            return value
        return {"on" if key in (YAML_ON, True) else key: part for key, part in value.items()}


class After(Model):
    """What a run follows. Exactly one of `all` and `any` is given."""

    all: Annotated[list[AfterSource], Field(max_length=32)] = []
    """A run starts when each of these has happened since the last one."""
    any: Annotated[list[AfterSource], Field(max_length=32)] = []
    """A run starts each time that one of these happens."""


class Schedule(Model):
    """When runs are made by themselves. Exactly one of `cron` and `after` is given."""

    cron: Cron | None = None
    """A cron expression or a list of them: five fields with names, ranges, steps, lists, `?`, `L`, `W`, `#` and `H`;
    or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@quarterly`, `@yearly`, `@once`, `@continuous`."""
    time_zone: Annotated[str, Field(min_length=1, max_length=64, json_schema_extra=SERVER_DEFAULT)] = "UTC"
    """The IANA name of the time zone that `cron` and the calendars are read in: `Asia/Seoul`."""
    start: Instant | None = None
    """The first moment that a slot may have. The Workflow's creation by default."""
    end: Instant | None = None
    """The last moment that a slot may have."""
    catch_up: Annotated[CatchUp, Field(json_schema_extra=SERVER_DEFAULT)] = CatchUp.NONE
    """Which missed slots are run afterwards: None of them, the Latest, or All."""
    catch_up_limit: Annotated[int, Field(ge=1, le=10000, json_schema_extra=SERVER_DEFAULT)] = 100
    """The most slots that catching up may run: the latest ones."""
    starting_deadline: Duration | None = None
    """A slot that is missed by more than this is not run, and is counted as missed. No limit by default."""
    suspend: bool = False
    """No slot fires while true."""
    interval: Annotated[Interval, Field(json_schema_extra=SERVER_DEFAULT)] = Interval.TRIGGER
    """Trigger: a slot's logical date is the slot, and its data interval ends there. DataInterval: as in Airflow 2, the
    logical date is the beginning of the interval, the slot before."""
    exclude: Calendar | None = None
    """Days without slots."""
    include: Calendar | None = None
    """Days with slots: by weekday only these; by date also where `exclude` names the weekday."""
    shift: Annotated[Shift, Field(json_schema_extra=SERVER_DEFAULT)] = Shift.SKIP
    """What becomes of a slot on an excluded day: it is skipped, or moved to the Next or Previous day that is not."""
    after: After | None = None
    """Other Workflows and data that runs follow, instead of the clock."""

    @property
    def crons(self) -> tuple[str, ...]:
        """The cron expressions, in their order; empty where there is none."""
        if self.cron is None:
            return ()
        return (self.cron,) if isinstance(self.cron, str) else tuple(self.cron)
