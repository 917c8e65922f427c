"""What can be wrong with a simulation.

SimulationError
├── InvalidWorkflow     the definition has findings, as `windlass lint` tells them
├── UnknownTask         a name that is no task of the Workflow
├── UnknownRun          a name or a slot that no run of the simulation has
├── WrongCue            a failure, a duration or an output that can't be played
├── OutputsMissing      a task reads outputs that nobody has given
└── Endless             what was asked for never comes to an end
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from windlass.models.findings import Finding, suggestion


class SimulationError(ValueError):
    """The simulation can't be made; the message says why, and what to do."""


class InvalidWorkflow(SimulationError):
    """The definition is wrong. `findings` say everything that is."""

    def __init__(self, name: str, findings: Sequence[Finding]) -> None:
        told = "\n".join(f"  {found}" for found in findings)
        super().__init__(f"the Workflow {name} is not valid:\n{told}")
        self.findings = tuple(findings)


class UnknownTask(SimulationError, KeyError):
    """There is no task of that name."""

    def __init__(self, task: str, known: Iterable[str], where: str) -> None:
        super().__init__(f"{where} has no task {task}; {_there_are(task, known)}")

    def __str__(self) -> str:
        return str(self.args[0])


class UnknownRun(SimulationError, KeyError):
    """There is no run of that name or slot."""

    def __init__(self, run: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no run {run}; {_there_are(run, known)}")

    def __str__(self) -> str:
        return str(self.args[0])


class WrongCue(SimulationError):
    """What was asked of an attempt makes no sense."""


class OutputsMissing(SimulationError):
    """A task reads outputs that nobody has given.

    `read` says which, `missing` all that are still to be given: task → keys.
    """

    def __init__(self, reader: str, read: str, missing: Mapping[str, tuple[str, ...]]) -> None:
        self.read = f"{reader} reads {read}, and a simulation runs no program that would put it out"
        self.missing = dict(missing)
        told = ", ".join(f'"{task}": {self.shown(task)}' for task in missing)
        super().__init__(f"{self.read}: say what it is, outputs={{{told}}}")

    def shown(self, task: str) -> str:
        """The outputs of a task as people write them, their values left out: `{"rows": …}`."""
        return "{" + (", ".join(f'"{key}": …' for key in self.missing[task]) or "…") + "}"


class Endless(SimulationError):
    """What was asked for never comes to an end."""


def _there_are(word: str, known: Iterable[str]) -> str:
    names = list(known)
    if hint := suggestion(word, names):
        return hint
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return f"there are: {shown}" if names else "there are none"
