"""What a run is for: slot, interval, the runs that it follows, and its deadline, as `windlass status` shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from windlass.cli import times

Body = dict[str, Any]
MOST_SOURCES: Final = 5
"""Runs that this one follows which are shown."""
_ENDED: Final = ("Succeeded", "Failed", "Cancelled", "Refused")


def occasion(run: Body, at: datetime) -> Iterator[str]:
    """A line for each thing that there is to say; none for a run made by hand for no special moment."""
    spec, status = run.get("spec") or {}, run.get("status") or {}
    slot = spec.get("slot") or {}
    if slot.get("trigger"):
        backfill = f" {slot['backfill']}" if slot.get("backfill") else ""
        yield f"Slot:      {slot.get('scheduledAt')}  ({slot['trigger']}{backfill})"
    elif spec.get("logicalDate"):
        yield f"For:       {spec['logicalDate']}  (Manual)"
    start, end = _interval(slot, status)
    if start and end:
        yield f"Interval:  {start} to {end}"
    sources = slot.get("sources") or []
    for source in sources[:MOST_SOURCES]:
        yield f"After:     {_source(source)}"
    if len(sources) > MOST_SOURCES:
        yield f"After:     … {len(sources) - MOST_SOURCES} more"
    if status.get("deadline"):
        yield f"Deadline:  {status['deadline']}{_lateness(status, at)}"


def _interval(slot: Body, status: Body) -> tuple[str | None, str | None]:
    known = status.get("interval") or {}
    return known.get("start") or slot.get("intervalStart"), known.get("end") or slot.get("intervalEnd")


def _source(source: Body) -> str:
    said = [f"Workflow {source.get('workflow')}"]
    if source.get("asset"):
        said.append(f"asset {source['asset']}")
    if source.get("slot"):
        said.append(f"slot {source['slot']}")
    return f"{source.get('run')}  ({', '.join(said)})"


def _lateness(status: Body, at: datetime) -> str:
    conditions = status.get("conditions") or []
    if any(one.get("type") == "DeadlineMissed" and one.get("status") == "True" for one in conditions):
        return "  (missed)"
    due = times.parse(status["deadline"])
    if due is None or status.get("phase") in _ENDED or due <= at:
        return ""
    return f"  (in {times.length((due - at).total_seconds())})"
