"""The Backfill resource: runs for every slot of a past range of a Workflow's schedule."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from windlass.models.common import (
    MOMENT_PATTERN,
    OBJECT_NAME_PATTERN,
    SERVER_DEFAULT,
    JsonObject,
    Model,
    Timestamp,
    list_map,
    parse_time,
)
from windlass.models.condition import Condition


def _moment(text: str) -> str:
    if re.match(MOMENT_PATTERN, text):
        try:
            date.fromisoformat(text) if len(text) == len("2025-04-01") else parse_time(text)
        except OverflowError as error:
            raise ValueError("it is beyond the calendar") from error
    return text


Moment = Annotated[str, Field(pattern=MOMENT_PATTERN, max_length=32), AfterValidator(_moment)]
"""A day in the schedule's time zone, `2025-04-01`, or an instant, `2025-04-01T17:00:00Z`."""

MOST_ACTIVE: Final = 1000
"""Runs of one Backfill that may be active at once."""
MOST_FAILURES: Final = 100
"""Failed runs that the status names; all are counted."""
MOST_LISTED: Final = 500
"""Slots that a dry run lists; all are counted."""


class Order(StrEnum):
    """Which slot comes first."""

    OLDEST = "Oldest"
    NEWEST = "Newest"


class Reprocess(StrEnum):
    """Which slots that have a run already are run once more."""

    NONE = "None"
    FAILED = "Failed"
    ALL = "All"


class BackfillPhase(StrEnum):
    """Where a backfill stands. The last four are ends."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    REFUSED = "Refused"

    @property
    def ended(self) -> bool:
        return self in _ENDED


_ENDED = frozenset({BackfillPhase.SUCCEEDED, BackfillPhase.FAILED, BackfillPhase.CANCELLED, BackfillPhase.REFUSED})


class BackfillSpec(Model):
    """Which slots are run, and how. Immutable but for `suspend` and `stop`."""

    workflow: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=49)]
    """The name of the Workflow, in the backfill's namespace. It must have a schedule with `cron`."""
    from_: Moment = Field(alias="from")
    """The first logical date: a day in the schedule's time zone, `2025-04-01`, or an instant, `2025-04-01T17:00:00Z`.
    It may be before the schedule's `start`."""
    to: Moment
    """The last logical date, itself included; of a day all slots are. What is not due yet when the backfill starts is
    left to the schedule."""
    order: Annotated[Order, Field(json_schema_extra=SERVER_DEFAULT)] = Order.OLDEST
    """Which slot comes first: the Oldest or the Newest."""
    reprocess: Annotated[Reprocess, Field(json_schema_extra=SERVER_DEFAULT)] = Reprocess.NONE
    """Which slots that have a run already get one more: None of them, those whose last run Failed, was cancelled or
    refused, or All. A slot with a run that has not ended is left alone."""
    max_active_runs: Annotated[int, Field(ge=1, le=MOST_ACTIVE, json_schema_extra=SERVER_DEFAULT)] = 1
    """How many runs of this backfill may be active at once. They don't count for the Workflow's own
    `concurrency.maxActiveRuns`."""
    params: Annotated[dict[str, Any], Field(max_length=100)] = {}
    """Values of the runs' parameters."""
    priority: Annotated[int, Field(ge=-1000, le=1000, json_schema_extra=SERVER_DEFAULT)] = -10
    """The runs' priority: below that of the schedule's own runs by default."""
    suspend: bool = False
    """No more runs are made while true; those that there are go on."""
    stop: Literal["Cancel"] | None = None
    """Cancel ends the backfill: no more runs are made, and those that are active are cancelled."""
    dry_run: bool = False
    """True: no run is made; the status lists the slots, and what would become of each."""
    stop_after_failures: Annotated[int, Field(ge=1, le=100000)] | None = None
    """After so many failed runs no more are made, and the backfill has failed. No limit by default."""


class BackfillRun(Model):
    """A run that the backfill has made."""

    slot: Timestamp
    """The slot that it is for."""
    run: str
    """Its name."""
    uid: str | None = None
    """Its UID."""
    outcome: str | None = None
    """How it ended, once it has: Failed, Refused, Cancelled, or Deleted."""


class BackfillSlot(Model):
    """What a dry run would do with a slot."""

    slot: Timestamp
    """The slot."""
    action: Literal["Run", "Reprocess", "Skip"]
    """Whether it would be run, run once more, or skipped, since it has a run already."""
    run: str
    """The name of the run that would be made, or is there."""


class BackfillStatus(Model):
    """How far the backfill is."""

    phase: BackfillPhase | None = None
    """Where the backfill stands."""
    reason: str | None = None
    """Why it stands there, in a word."""
    message: str | None = None
    """The same in a sentence."""
    progress: str | None = None
    """Slots that are done, of all: `12/90`."""
    total: int | None = None
    """The slots in the range."""
    done: int | None = None
    """Slots whose runs have ended, and those that were skipped."""
    running: int | None = None
    """Runs that have not ended."""
    succeeded: int | None = None
    """Runs that succeeded."""
    failed: int | None = None
    """Runs that failed or were refused."""
    cancelled: int | None = None
    """Runs that were cancelled, or deleted before they had ended."""
    skipped: int | None = None
    """Slots that had a run already, and were left alone."""
    first: Timestamp | None = None
    """The oldest slot of the range."""
    last: Timestamp | None = None
    """The newest slot of the range."""
    cursor: Timestamp | None = None
    """The slot that was dealt with last: each slot up to it, in the order of the backfill, was skipped or has got its
    run, and gets none again."""
    schedule: JsonObject | None = None
    """The Workflow's schedule as it was when the backfill started: an edit of the Workflow moves no slot."""
    workflow_uid: str | None = None
    """The UID of the Workflow."""
    active: Annotated[
        list[BackfillRun], Field(max_length=MOST_ACTIVE + MOST_FAILURES, json_schema_extra=list_map("run"))
    ] = []
    """Runs that have not ended."""
    failures: Annotated[list[BackfillRun], Field(max_length=MOST_FAILURES, json_schema_extra=list_map("run"))] = []
    """The latest runs that did not succeed. One that succeeds after all is counted anew while the backfill lasts."""
    slots: Annotated[list[BackfillSlot], Field(max_length=MOST_LISTED)] = []
    """Of a dry run: the first slots, in the order of the backfill, and what would become of them."""
    started_at: Timestamp | None = None
    """When it started."""
    finished_at: Timestamp | None = None
    """When it ended."""
    observed_generation: int | None = None
    """The generation of the backfill that this status takes account of."""
    conditions: Annotated[list[Condition], Field(json_schema_extra=list_map("type"))] = []
    """Accepted, and at the end Succeeded, for `kubectl wait`."""


class Backfill(Model):
    """Runs for every slot of a past range of a Workflow's schedule, resumable, with progress. Deleting it makes an end
    of making runs; those that there are go on, and stay."""

    api_version: str
    """`windlass.dev/v1alpha1`"""
    kind: str
    """`Backfill`"""
    metadata: JsonObject
    """Standard metadata. The name has at most 63 characters, so that it fits a label of its runs."""
    spec: BackfillSpec
    """Which slots are run, and how."""
    status: BackfillStatus | None = None
    """How far it is, written by the controller."""
