"""`windlass next`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from windlass.cli import schedules, times
from windlass.cli.cluster import Cluster, with_cluster
from windlass.cli.graph import is_file
from windlass.cli.output import Format, format_option, structured, table

if TYPE_CHECKING:
    from windlass.models.schedule import After
    from windlass.plan.schedule import Timetable

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?(Z|[+-]\d\d:\d\d)?")


class _Instant(click.ParamType[datetime]):
    """An instant; without an offset it is meant in the schedule's time zone."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value)
        try:
            if _INSTANT.fullmatch(text):
                return datetime.fromisoformat(text)
        except ValueError:
            pass
        return self.fail(f"{text!r} is no instant: write 2026-03-29T00:00:00Z, or 2026-03-29", param, ctx)


class _FileOrCluster(click.Command):
    """Needs no cluster when it is given a file."""

    def invoke(self, ctx: click.Context) -> Any:
        given = ctx.params
        if is_file(given["what"]):
            found = schedules.of_file(given["what"], given["name"], given["namespace"])
            _show(found, given["count"], given["start"], given["output"])
            return 0
        return super().invoke(ctx)


@click.command("next", cls=_FileOrCluster)
@click.argument("what", metavar="WORKFLOW|FILE", type=click.Path(allow_dash=True))
@click.option("--name", help="The Workflow, when the file holds several with a schedule.")
@click.option("--count", type=click.IntRange(1, 10_000), default=10, show_default=True, help="How many slots.")
@click.option(
    "--from",
    "start",
    type=_Instant(),
    metavar="INSTANT",
    help="The first moment that counts, in the schedule's time zone if it has no offset. Now by default.",
)
@format_option(Format.JSON)
@with_cluster
async def command(
    cluster: Cluster, what: str, name: str | None, count: int, start: datetime | None, output: Format | None
) -> int:
    """Show when a Workflow will run by its schedule.

    \b
    Each slot stands in the schedule's time zone and in UTC. Where the clocks of that zone
    are changed, it is said. A file is read without a cluster; the ConfigMap of a calendar
    may be in it.
    """
    if name is not None:
        raise click.UsageError("--name chooses a Workflow of a file: leave it out")
    _show(await schedules.of_cluster(cluster, what), count, start, output)
    return 0


def _show(found: schedules.Scheduled, count: int, start: datetime | None, output: Format | None) -> None:
    timetable = found.timetable()
    begin = _begin(timetable, start)
    slots = [*islice(_slots_from(timetable, begin), count)]
    _tell(found, timetable, slots)
    if output is not None:
        whole = [{"slot": _utc(slot), "local": timetable.local(slot).isoformat(timespec="seconds")} for slot in slots]
        click.echo(structured(whole, output))
    elif slots:
        click.echo(_table(timetable, begin, slots))


def _begin(timetable: Timetable, start: datetime | None) -> datetime:
    if start is None:
        return times.now()
    return (start if start.tzinfo is not None else start.replace(tzinfo=timetable.zone)).astimezone(UTC)


def _slots_from(timetable: Timetable, begin: datetime) -> Iterator[datetime]:
    found = timetable.next_after(begin - timedelta(microseconds=1))
    while found is not None:
        yield found
        found = timetable.next_after(found)


def _tell(found: schedules.Scheduled, timetable: Timetable, slots: Sequence[datetime]) -> None:
    """What a reader of the slots should know beside them, on stderr."""
    if found.schedule.after is not None:
        text = f"follows {_sources(found.schedule.after)}: it has no slots"
    elif timetable.is_continuous:
        text = "is @continuous: a run starts as soon as the last has ended"
    elif timetable.is_once and timetable.once is None:
        text = "is @once, and has no start: it runs when it is created"
    elif not slots:
        text = "has no slot from then on"
    elif found.schedule.suspend:
        text = "is suspended: none of these slots fires until it is resumed"
    else:
        return
    click.echo(f"{found.name} {text}", err=True)


def _sources(after: After) -> str:
    from windlass.plan.sources import told

    return (" and " if after.all else " or ").join(told(source) for source in after.all or after.any)


def _table(timetable: Timetable, begin: datetime, slots: Sequence[datetime]) -> str:
    rows = []
    before = begin
    for slot in slots:
        local = timetable.local(slot)
        notes = [*_changes(timetable, before, slot), *_reading(timetable, slot)]
        rows.append([f"{local:%a %Y-%m-%d %H:%M} {_offset(local)}", _utc(slot), "; ".join(notes)])
        before = slot
    header = [f"LOCAL ({timetable.zone.key})", "UTC", "CLOCKS"]
    if not any(row[-1] for row in rows):
        header, rows = header[:-1], [row[:-1] for row in rows]
    return table(header, rows)


def _changes(timetable: Timetable, after: datetime, until: datetime) -> Iterator[str]:
    """The changes of the clocks between two slots: the last two, and how many more there are."""
    from windlass.plan.schedule.zones import changes_between, instant, moment_of

    found = [*changes_between(timetable.zone, instant(after), instant(until))]
    if len(found) > 2:
        yield f"{len(found) - 2} changes more"
    for change in found[-2:]:
        length = change.after - change.before
        old = moment_of(change.at + change.before)
        day = "" if timetable.local(until).date() == old.date() else f"{old:%Y-%m-%d} "
        yield f"{'forward' if length > 0 else 'back'} {times.length(abs(length))} at {day}{old:%H:%M}"


def _reading(timetable: Timetable, slot: datetime) -> Iterator[str]:
    """What is special in how clocks show a slot."""
    local = timetable.local(slot)
    if timetable.is_moved(slot):
        yield "its own time is skipped"
    elif local.fold:
        yield f"the second {local:%H:%M}"
    elif local.replace(fold=1).utcoffset() != local.utcoffset():
        yield f"the first {local:%H:%M}"


def _offset(local: datetime) -> str:
    return local.isoformat(timespec="minutes")[16:]


def _utc(slot: datetime) -> str:
    from windlass.models.common import format_time

    return format_time(slot)
