"""On what terms a Workflow's runs are made, let go and kept: what is remembered of each Workflow, without its tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from windlass.models.common import delta
from windlass.models.schedule import Schedule
from windlass.models.workflow import History, RunPolicy, WorkflowSpec

_HISTORY: Final = History()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a Workflow's spec says of its runs as a whole."""

    schedule: Schedule | None = None
    run_limit: int | None = None
    """The most runs under way at once; None: any number."""
    policy: RunPolicy = RunPolicy.QUEUE
    depends_on_past: bool = False
    """The Workflow, or a task of it, waits for the slot before."""
    priority: int = 0
    history: History = _HISTORY

    @property
    def ttl(self) -> timedelta:
        """How long a run is kept after its end."""
        return delta(self.history.ttl)


def terms_of(spec: WorkflowSpec) -> Terms:
    """The terms of a definition."""
    return Terms(
        schedule=spec.schedule,
        run_limit=spec.run_limit,
        policy=spec.run_policy,
        depends_on_past=spec.depends_on_past or any(task.depends_on_past for task in (*spec.tasks, *spec.finally_)),
        priority=spec.priority,
        history=spec.history,
    )
