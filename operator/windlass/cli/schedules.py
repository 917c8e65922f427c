"""Schedules as the commands find them: in a file, without a cluster, or by the name of a Workflow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from windlass.cli.cluster import Cluster
from windlass.cli.failures import USAGE, Failure
from windlass.errors import NotFound

if TYPE_CHECKING:
    from windlass.models.schedule import CalendarConfigMap, Schedule
    from windlass.plan.schedule import Timetable

Body = dict[str, Any]
DEFAULT_NAMESPACE: Final = "default"
_HASHED: Final = re.compile(r"(?:^|[\s,])H", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A Workflow with a schedule, and the ConfigMaps of its calendar as far as they are at hand."""

    name: str
    namespace: str
    schedule: Schedule
    created: datetime | None = None
    """When the Workflow was made; None where it is only in a file."""
    config_maps: Mapping[str, Body] = field(default_factory=dict)
    """By name."""

    def timetable(self) -> Timetable:
        """Its slots. Failure when the schedule can't be used; what its calendar lacks is told on stderr."""
        from windlass.plan.schedule import ScheduleError, compile_schedule
        from windlass.plan.schedule.calendar import config_maps

        holidays = {source.ref: self._days(source) for source in config_maps(self.schedule)}
        try:
            return compile_schedule(
                self.schedule, identity=f"{self.namespace}/{self.name}", holidays=holidays, created=self.created
            )
        except ScheduleError as error:
            raise Failure(f"{self.name}: {error}") from None

    def _days(self, source: CalendarConfigMap) -> frozenset[date]:
        from windlass.plan.schedule import days_of

        found = self.config_maps.get(source.name)
        if found is None:
            text = f"the days of the ConfigMap {source.name} are not known here, and left out"
            click.echo(f"{text}: put it into the same file, or ask for the Workflow by its name", err=True)
            return frozenset()
        days, wrong = days_of(source, found.get("data") or {})
        for item in wrong:
            click.echo(f"ConfigMap {source.name}: {item}", err=True)
        return days


def of_file(file: str, name: str | None, namespace: str | None) -> Scheduled:
    """The Workflow with a schedule that a file holds, or of several the one of that name."""
    from windlass.cli import manifests
    from windlass.names import GROUP

    found = manifests.objects(manifests.read_documents(file))
    workflows = [obj for obj in found if obj["kind"] == "Workflow" and str(obj["apiVersion"]).startswith(f"{GROUP}/")]
    if name is not None:
        workflows = [obj for obj in workflows if _name(obj) == name]
    chosen = [obj for obj in workflows if isinstance(obj.get("spec"), dict) and obj["spec"].get("schedule")]
    if len(chosen) > 1:
        names = ", ".join(_name(obj) for obj in chosen)
        raise Failure(f"{file} holds {len(chosen)} Workflows with a schedule ({names}): choose one with --name", USAGE)
    if not chosen:
        which = f"Workflow {name}" if name is not None else "Workflow"
        raise Failure(f"{file} holds no {which}{' with a schedule' if workflows else ''}")
    schedule = _read(chosen[0])
    place = namespace or (chosen[0].get("metadata") or {}).get("namespace")
    if not place and any(_HASHED.search(text) for text in schedule.crons):
        click.echo(f"H is made of the namespace too: taken for {DEFAULT_NAMESPACE}, name another with -n", err=True)
    maps = {_name(obj): obj for obj in found if obj["kind"] == "ConfigMap"}
    return Scheduled(_name(chosen[0]), str(place or DEFAULT_NAMESPACE), schedule, config_maps=maps)


async def of_cluster(cluster: Cluster, name: str) -> Scheduled:
    """A Workflow's schedule, with the ConfigMaps that its calendar names."""
    from windlass.models.common import parse_time
    from windlass.plan.schedule.calendar import config_maps
    from windlass.resources import CONFIG_MAPS, WORKFLOWS

    client, namespace = cluster.client, cluster.namespace
    try:
        workflow = await client.get(WORKFLOWS, namespace, name)
    except NotFound:
        raise Failure(await _no_such_workflow(cluster, name)) from None
    if not workflow["spec"].get("schedule"):
        raise Failure(f"the Workflow {name} has no schedule")
    schedule = _read(workflow)
    maps = {}
    for source in config_maps(schedule):
        try:
            maps[source.name] = await client.get(CONFIG_MAPS, namespace, source.name)
        except NotFound:
            raise Failure(f"the calendar's ConfigMap {source.name} is not in the namespace {namespace}") from None
    return Scheduled(name, namespace, schedule, parse_time(workflow["metadata"]["creationTimestamp"]), maps)


def _read(workflow: Body) -> Schedule:
    """The schedule of a manifest, whatever the rest of it is like."""
    from windlass.models import parse
    from windlass.models.findings import summary
    from windlass.models.schedule import Schedule
    from windlass.models.shape import as_stored

    wrong = [item for item in parse.check(workflow) if item.path[:2] == ("spec", "schedule")]
    if wrong:
        raise Failure(f"{_name(workflow)}: {summary(wrong)}")
    return Schedule.model_validate(as_stored(Schedule, workflow["spec"]["schedule"]), by_alias=True, by_name=False)


def _name(obj: Body) -> str:
    metadata = obj.get("metadata")
    return str(metadata.get("name") or "workflow") if isinstance(metadata, dict) else "workflow"


async def _no_such_workflow(cluster: Cluster, name: str) -> str:
    from windlass.models.findings import suggestion
    from windlass.resources import WORKFLOWS

    text = f'there is no Workflow "{name}" in the namespace {cluster.namespace}'
    names = [obj["metadata"]["name"] for obj in await cluster.client.list_all(WORKFLOWS, cluster.namespace)]
    return f"{text}; {hint}" if (hint := suggestion(name, names)) else text
