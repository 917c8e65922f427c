"""What scenarios of Workflows that follow others share."""

from __future__ import annotations

from typing import Any

from support.scheduling import TASKS
from support.world import NAMESPACE, World
from windlass.resources import RUNS

SOURCE = {"tasks": TASKS}
_BESIDE = ("concurrency", "history", "dependsOnPast", "tasks")


def follows(*sources: Any, how: str = "any", **schedule: Any) -> dict[str, Any]:
    """The spec of a Workflow that follows: a word is a Workflow's name, or an asset's where it has a slash."""
    beside = {key: schedule.pop(key) for key in _BESIDE if key in schedule}
    return {"schedule": {"after": {how: [*map(_source, sources)]}, **schedule}, "tasks": TASKS, **beside}


def _source(word: Any) -> dict[str, Any]:
    if isinstance(word, dict):
        return word
    return {"asset": word} if "/" in word else {"workflow": word}


def producing(*assets: str, **spec: Any) -> dict[str, Any]:
    """The spec of a Workflow whose one task produces these assets."""
    return {"tasks": [{**TASKS[0], "produces": [*assets]}], **spec}


def runs_of(world: World, workflow: str = "c") -> list[dict[str, Any]]:
    """The runs that follow, of a Workflow, in the order of their numbers."""
    found = [run for run in world.store.list(RUNS, NAMESPACE) if run["spec"].get("workflow") == workflow]
    return sorted((run for run in found if "slot" in run["spec"]), key=lambda run: number_of(run["metadata"]["name"]))


def number_of(name: str) -> int:
    return int(name.rsplit("-", 2)[1])


def fired(world: World, workflow: str = "c") -> list[str]:
    """What each of them answers."""
    return [answered(run) for run in runs_of(world, workflow)]


def answered(run: dict[str, Any]) -> str:
    return "+".join(source["run"] for source in run["spec"]["slot"]["sources"])
