"""etcd is put back to a backup: what docs/operations.md says of it. Runs end in order, nothing stays stuck, and no more
is repeated than what happened since the backup."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.clock import settle
from support.kubelet import Kubelet, Play, script_of
from support.world import NAMESPACE, World
from windlass import names
from windlass.dev.api.journal import Journal
from windlass.dev.api.store import Store
from windlass.resources import RUNS, Resource

TASKS = [
    {"name": "a", "command": ["x"], "retry": {"limit": 1, "delay": "0s"}},
    {"name": "b", "command": ["x"], "dependsOn": ["a"]},
    {"name": "c", "command": ["x"], "dependsOn": ["b"]},
]
PLAYS: dict[str, Play | list[Play]] = {name: Play(seconds=10) for name in ("a", "b", "c")}


def back_up(world: World, path: Path) -> None:
    """Write down all objects as they are now."""
    journal = Journal(path)
    journal.last_version = world.store.version
    journal.open((storage, stored) for storage, table in world.store._tables.items() for stored in table.values())
    journal.close()


def restored(path: Path, before: World) -> World:
    """A cluster as it was at its backup, at the time that it is now; its nodes know of no pod."""
    world = World(PLAYS)
    world.clock = before.clock
    world.store = Store(now=world.clock.now, journal=Journal(path))
    world.kubelet = Kubelet(world.store, world.clock, script_of(PLAYS))
    # Pods that had begun are the nodes' to tell of, not to begin.
    begun = [pod for pod in world.pods() if (pod.get("status") or {}).get("phase") not in (None, "Pending")]
    world.kubelet._known.update(pod["metadata"]["uid"] for pod in begun)
    world.kubelet._running.update(pod["metadata"]["uid"] for pod in begun)
    return world


def report_end(world: World) -> None:
    """The nodes still have the containers, which have ended meanwhile."""
    _end_all(world, 0, "Completed")


def report_unknown(world: World) -> None:
    """The nodes have tidied the containers away, or are new."""
    _end_all(world, 137, "ContainerStatusUnknown")


def _end_all(world: World, code: int, reason: str) -> None:
    for pod in world.pods():
        if (pod.get("status") or {}).get("phase") == "Running":
            world.kubelet._end(pod, code, reason, "")


MOMENTS = {
    "a waited for a node": lambda world: len(world.pods()) == 1,
    "a ran": lambda world: world.phases().get("a") == "Running",
    "b ran": lambda world: world.phases().get("b") == "Running",
    "all had run": lambda world: world.phases().get("c") == "Succeeded",
}
FATES = {"the ends are known": report_end, "the ends are forgotten": report_unknown}
LAUNCHED = {
    # Its startTimeout has passed meanwhile, but a node takes it before anybody looks: what runs is not late.
    ("a waited for a node", "the ends are known"): ["a", "b", "c"],
    ("a waited for a node", "the ends are forgotten"): ["a", "b", "c"],
    ("a ran", "the ends are known"): ["b", "c"],
    ("a ran", "the ends are forgotten"): ["a", "b", "c"],
    ("b ran", "the ends are known"): ["c"],
    ("b ran", "the ends are forgotten"): ["b", "c"],
    ("all had run", "the ends are known"): [],
    ("all had run", "the ends are forgotten"): [],
}
"""Whose pods are begun after the restore."""


@pytest.mark.parametrize(("moment", "fate"), LAUNCHED, ids=[f"{moment}, {fate}" for moment, fate in LAUNCHED])
async def test_a_run_ends_in_order_whenever_the_backup_was(moment: str, fate: str, tmp_path: Path) -> None:
    path = tmp_path / "backup"
    async with World(PLAYS) as world:
        world.run(tasks=TASKS)
        await world.until(lambda: MOMENTS[moment](world))
        back_up(world, path)
        await world.clock.advance(600)
        assert world.phase() == "Succeeded"
    async with restored(path, world) as after:
        await settle()
        FATES[fate](after)
        assert await after.ended() == "Succeeded"
        await after.clock.advance(300)
        assert [task for _, task, _ in after.kubelet.launched] == LAUNCHED[moment, fate]
        assert not [pod for pod in after.pods() if names.RESULT_FINALIZER in pod["metadata"].get("finalizers", [])]


async def test_a_pod_of_a_run_that_the_backup_does_not_hold_is_let_go(tmp_path: Path) -> None:
    """It came back without its run, as from a backup that is made of objects."""
    async with World(PLAYS) as world:
        world.run(tasks=TASKS)
        await world.until(lambda: world.phases().get("a") == "Running")
        back_up(world, tmp_path / "backup")
        await world.clock.advance(600)
    after = restored(tmp_path / "backup", world)
    _forget(after.store, RUNS, "r1")
    async with after:
        await after.clock.advance(120)
        assert after.pods() == []


def _forget(store: Store, resource: Resource, name: str) -> None:
    del store._tables[(resource.group, resource.plural)][(NAMESPACE, name)]
