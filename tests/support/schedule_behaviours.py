"""What schedules must do wherever they are kept: on the development cluster and on a real API server alike."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from support.clusters import Cluster
from windlass.errors import NotFound
from windlass.kube.client import KubeClient
from windlass.kube.credentials import find_credentials
from windlass.resources import CONFIG_MAPS, RUNS, WORKFLOWS

Body = dict[str, Any]
WITHIN = 90.0


class Place:
    """A namespace, and Workflows of one test in it."""

    def __init__(self, api: KubeClient, namespace: str) -> None:
        self.api = api
        self.namespace = namespace
        self.name = f"tick-{uuid.uuid4().hex[:6]}"

    async def make(self, schedule: Body, suffix: str = "", **spec: Any) -> str:
        """Make a Workflow with this schedule; its name."""
        name = self.name + suffix
        tasks = [{"name": "a", "script": 'echo "{\\"slot\\": \\"$WINDLASS_LOGICAL_DATE\\"}" > "$WINDLASS_OUTPUTS"'}]
        whole = {"schedule": schedule, "tasks": tasks, **spec}
        await self.api.create(WORKFLOWS, self._object(WORKFLOWS.kind, WORKFLOWS.api_version, name, {"spec": whole}))
        return name

    async def config_map(self, name: str, data: Body) -> None:
        await self.api.create(
            CONFIG_MAPS, self._object(CONFIG_MAPS.kind, CONFIG_MAPS.api_version, name, {"data": data})
        )

    async def edit(self, name: str, **spec: Any) -> None:
        await self.api.patch(WORKFLOWS, self.namespace, name, {"spec": spec})

    async def status(self, name: str) -> Body:
        status: Body = (await self.api.get(WORKFLOWS, self.namespace, name)).get("status") or {}
        return status

    async def runs(self, name: str) -> list[Body]:
        """The Workflow's runs, in the order of their slots."""
        found = await self.api.list_all(RUNS, self.namespace, label_selector=f"windlass.dev/workflow={name}")
        return sorted(found, key=lambda run: str(run["spec"]["logicalDate"]))

    async def until(self, name: str, true: Callable[[Body], bool]) -> Body:
        """Wait for a Workflow's status."""
        end = time.monotonic() + WITHIN
        while not true(status := await self.status(name)):
            assert time.monotonic() < end, status
            await asyncio.sleep(0.3)
        return status

    async def remove(self, name: str) -> None:
        """Delete a Workflow, and wait until it and its runs are gone."""
        await self.api.delete(WORKFLOWS, self.namespace, name)
        end = time.monotonic() + WITHIN
        while await self.runs(name) or await self._exists(name):
            assert time.monotonic() < end, "its runs stay"
            await asyncio.sleep(0.3)

    async def _exists(self, name: str) -> bool:
        try:
            await self.api.get(WORKFLOWS, self.namespace, name)
        except NotFound:
            return False
        return True

    def _object(self, kind: str, version: str, name: str, rest: Body) -> Body:
        return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": self.namespace}, **rest}


async def once(place: Place) -> None:
    """`@once` fires once; the run is the Workflow's, knows its slot, and goes with it."""
    name = await place.make({"cron": "@once"})
    status = await place.until(name, lambda status: bool(status.get("lastSuccess")))
    (run,) = await place.runs(name)
    slot = status["lastSlot"]
    assert run["spec"]["slot"]["scheduledAt"] == slot
    assert (run["status"]["phase"], run["status"]["trigger"]) == ("Succeeded", "Schedule")
    assert run["status"]["tasks"][0]["outputs"] == {"slot": slot}
    assert (status["reason"], status["lastSuccess"]["run"]) == ("Ended", run["metadata"]["name"])
    assert [(one["type"], one["status"]) for one in status["conditions"]] == [("Ready", "True")]
    await place.remove(name)


async def again(place: Place) -> None:
    """Deleted and made again under its name, it begins anew."""
    name = await place.make({"cron": "@once"})
    await place.until(name, lambda status: bool(status.get("lastSlot")))
    (first,) = await place.runs(name)
    await place.api.delete(WORKFLOWS, place.namespace, name)
    await place.make({"cron": "@once"})
    await place.until(name, lambda status: bool(status.get("lastSuccess")))
    uids = [run["metadata"]["uid"] for run in await place.runs(name)]
    assert first["metadata"]["uid"] not in uids
    assert len(uids) == 1
    await place.remove(name)


async def continuous(place: Place) -> None:
    """`@continuous` goes on when its run has ended, stops while suspended, and keeps little history."""
    name = await place.make({"cron": "@continuous"})
    end = time.monotonic() + WITHIN
    while len(runs := await place.runs(name)) < 3:
        assert time.monotonic() < end, await place.status(name)
        await asyncio.sleep(0.5)
    starts = [run["spec"]["slot"]["scheduledAt"] for run in runs]
    ends = [run["status"]["finishedAt"] for run in runs[:-1]]
    assert all(ended[:19] <= start[:19] for ended, start in zip(ends, starts[1:], strict=True)), (starts, ends)
    await place.edit(name, schedule={"suspend": True})
    await place.until(name, lambda status: status.get("reason") == "Suspended" and status.get("activeRuns") == 0)
    many = len(await place.runs(name))
    await asyncio.sleep(8)
    assert len(await place.runs(name)) == many
    await place.remove(name)


async def bad_beside_good(place: Place) -> None:
    """A schedule that makes no sense says so; the one beside it fires; mended, it is ready."""
    bad = await place.make({"cron": "61 * * * *"}, "-bad")
    good = await place.make({"cron": "@once"}, "-good")
    await place.until(good, lambda status: bool(status.get("lastSuccess")))
    status = await place.until(bad, lambda status: bool(status.get("conditions")))
    ready = status["conditions"][0]
    assert (ready["status"], ready["reason"]) == ("False", "ScheduleInvalid")
    assert ready["message"].startswith("spec.schedule.cron"), ready
    await place.edit(bad, schedule={"cron": "0 0 1 1 *"})
    status = await place.until(bad, lambda status: status["conditions"][0]["status"] == "True")
    assert status["nextSlot"].endswith("-01-01T00:00:00Z")
    assert await place.runs(bad) == []
    for name in (bad, good):
        await place.remove(name)


async def calendar(place: Place) -> None:
    """A calendar's ConfigMap is awaited, and read."""
    days = {"weekdays": ["MON", "TUE", "WED", "THU", "FRI", "SAT"], "configMap": {"name": place.name}}
    name = await place.make({"cron": "0 0 * * *", "exclude": days})
    await place.until(name, lambda status: status.get("reason") == "CalendarMissing")
    await place.config_map(place.name, {"days": "2026-12-25"})
    status = await place.until(name, lambda status: bool(status.get("nextSlot")))
    assert status["reason"] == "Scheduled"
    await place.remove(name)


BEHAVIOURS: dict[str, Callable[[Place], Awaitable[None]]] = {
    "once": once,
    "made again": again,
    "continuous": continuous,
    "a bad one beside a good one": bad_beside_good,
    "a calendar": calendar,
}


async def play(cluster: Cluster, behaviour: Callable[[Place], Awaitable[None]]) -> None:
    """See one behaviour through."""
    credentials = find_credentials(str(cluster.kubeconfig), None, os.environ)
    async with KubeClient(credentials) as api:
        await behaviour(Place(api, cluster.namespace))
