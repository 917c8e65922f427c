"""How `windlass simulate` plays a Workflow, and before it those that it follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from windlass.documents import Document
    from windlass.models.schedule import AfterSource
    from windlass.testing import Definition, Simulation
    from windlass.testing.cues import Length

Body = dict[str, Any]


@dataclass(frozen=True)
class Play:
    """What was asked of the runs. What is said of a task holds in each Workflow that has it."""

    start: str | None
    end: str | None
    params: Sequence[str]
    fail: Sequence[str]
    reject: Sequence[str]
    durations: Mapping[str, Length]
    outputs: Mapping[str, Body]
    outages: Sequence[tuple[str, str]]
    duration: Length
    _played: dict[str, Simulation] = field(default_factory=dict)
    _elsewhere: set[str] = field(default_factory=set)
    """The tasks of the Workflows that are followed."""

    def sources(self, definition: Definition, documents: Sequence[Document]) -> list[Simulation]:
        """The Workflows that this one follows, played, those that these follow before them. What is not among the files
        is told on stderr."""
        after = definition.spec.schedule.after if definition.spec.schedule is not None else None
        if after is None:
            return []
        from windlass.documents import objects

        known = _workflows(objects(list(documents)))
        self._play_sources(definition, known, (definition.name,))
        if not self._played:
            click.echo(f"{definition.name} is played as one run by hand", err=True)
        return [*self._played.values()]

    def simulate(self, definition: Definition, sources: Sequence[Simulation]) -> Simulation:
        """Play the Workflow that was asked for. Errors as of `windlass.testing.simulate`."""
        from windlass.cli.params import parse

        elsewhere = self._elsewhere - {*definition.tasks}
        params = parse(self.params, definition.spec.params)
        return self._simulate(definition, sources, params, lambda task: task not in elsewhere)

    def _play_sources(self, definition: Definition, known: Mapping[str, Definition], way: tuple[str, ...]) -> list[str]:
        """Play what a Workflow follows; their names."""
        from windlass.testing.cues import EVERY_TASK

        names: list[str] = []
        for source in _sources(definition):
            found = [one for one in known.values() if _is_of(source, one)]
            if not found:
                what = f"the asset {source.asset}" if source.asset is not None else f"the Workflow {source.workflow}"
                click.echo(
                    f"{definition.name} follows {what}, which is not among the files: nothing of it happens", err=True
                )
            names += [one.name for one in found if one.name not in names and one.name not in way]
        for name in names:
            if name not in self._played:
                before = self._play_sources(known[name], known, (*way, name))
                self._elsewhere.update(known[name].tasks)
                played = [self._played[one] for one in before if one in self._played]
                self._played[name] = self._simulate(
                    known[name], played, {}, {*known[name].tasks, EVERY_TASK}.__contains__
                )
        return names

    def _simulate(
        self, definition: Definition, after: Sequence[Simulation], params: Body, is_told: Callable[[str], bool]
    ) -> Simulation:
        from windlass.testing import simulate

        return simulate(
            definition,
            start=self.start,
            end=self.end,
            params=params,
            fail=[one for one in self.fail if is_told(_task_of(one))],
            reject=[*filter(is_told, self.reject)],
            durations={task: length for task, length in self.durations.items() if is_told(task)},
            outputs={task: values for task, values in self.outputs.items() if is_told(task)},
            outages=self.outages,
            duration=self.duration,
            after=after,
        )


def _workflows(manifests: Sequence[Body]) -> dict[str, Definition]:
    """The Workflows among these, by name. InvalidWorkflow when one is wrong."""
    from windlass.names import GROUP
    from windlass.testing.definition import read

    ours = [one for one in manifests if one["kind"] == "Workflow" and str(one["apiVersion"]).startswith(f"{GROUP}/")]
    found = [read(one, manifests) for one in ours]
    return {one.name: one for one in found}


def _sources(definition: Definition) -> Iterator[AfterSource]:
    after = definition.spec.schedule.after if definition.spec.schedule is not None else None
    if after is not None:
        yield from (*(after.all or ()), *(after.any or ()))


def _is_of(source: AfterSource, definition: Definition) -> bool:
    """Whether it is the Workflow that is followed, or one that may produce the asset."""
    if source.asset is None:
        return definition.name == source.workflow
    tasks = (*definition.spec.tasks, *definition.spec.finally_)
    return any(source.asset in (task.produces or ()) for task in tasks)


def _task_of(fault: str) -> str:
    """The task that a text of `--fail` is about."""
    from windlass.testing import WrongCue
    from windlass.testing.cues import Fault

    try:
        return Fault.parse(fault).task
    except WrongCue:
        return fault
