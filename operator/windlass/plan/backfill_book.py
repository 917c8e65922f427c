"""The figures of a backfill's status while they are added up: which runs are active, and what became of the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from windlass.models.backfill import MOST_FAILURES, BackfillRun, BackfillStatus
from windlass.models.common import format_time
from windlass.models.run import RunPhase
from windlass.plan.history import RunSummary

DELETED: Final = "Deleted"
"""What became of a run that is gone before it had ended."""


@dataclass(slots=True)
class Book:
    """What a status says of the slots up to its cursor."""

    succeeded: int
    failed: int
    cancelled: int
    skipped: int
    active: list[BackfillRun]
    failures: list[BackfillRun]

    @classmethod
    def of(cls, status: BackfillStatus) -> Book:
        """As the status has it."""
        return cls(
            status.succeeded or 0,
            status.failed or 0,
            status.cancelled or 0,
            status.skipped or 0,
            [*status.active],
            [*status.failures],
        )

    @property
    def done(self) -> int:
        """Slots of which nothing more is expected."""
        return self.succeeded + self.failed + self.cancelled + self.skipped

    def settle(self, runs: Mapping[str, RunSummary], gone: Collection[str]) -> tuple[str, ...]:
        """Judge every run by how it is now; the names of those that must be read live first, being unknown.

        One that did not succeed is judged again as long as it exists: somebody may have retried it.
        """
        confirm = []
        active, self.active = self.active, []
        for one in active:
            run = _known(one, runs)
            if run is None and one.run not in gone:
                confirm.append(one.run)
            self._judge(one, run)
        failures, self.failures = self.failures, []
        for one in failures:
            run = _known(one, runs)
            if run is None:
                self.failures.append(one)
            else:
                self._count(one.outcome or "", -1)
                self._judge(one, run)
        return tuple(confirm)

    def enter(self, run: RunSummary) -> None:
        """A run that was made, and is not in the status yet."""
        slot = format_time(run.slot) if run.slot is not None else ""
        self._judge(BackfillRun(slot=slot, run=run.name, uid=run.uid), run)

    def told(self, total: int | None = None) -> str:
        """The figures in a sentence; without `total`, of a backfill that is over."""
        parts = [(self.succeeded, "succeeded"), (self.failed, "failed"), (self.cancelled, "cancelled or deleted")]
        parts += [(self.skipped, "had a run already"), (len(self.active), "active")]
        told = ", ".join(f"{count:,} {word}" for count, word in parts if count)
        if total is None:
            return f"all slots are done: {told}"
        return f"{self.done:,} of {counted(total, 'slot')} done" + (f": {told}" if told else "")

    def figures(self, total: int) -> dict[str, Any]:
        """The figures as fields of the status."""
        return {
            "progress": f"{self.done}/{max(total, self.done)}",
            "done": self.done,
            "running": len(self.active),
            "succeeded": self.succeeded,
            "failed": self.failed,
            "cancelled": self.cancelled,
            "skipped": self.skipped,
            "active": self.active,
            "failures": self.failures,
        }

    def _judge(self, one: BackfillRun, run: RunSummary | None) -> None:
        """Put a run where it belongs by how it is now; None: it was deleted."""
        if run is not None and not run.ended:
            self.active.append(one.model_copy(update={"outcome": None}))
            return
        outcome = DELETED if run is None else str(run.phase)
        if outcome == RunPhase.SUCCEEDED:
            self.succeeded += 1
            return
        self._count(outcome, 1)
        self.failures.append(one.model_copy(update={"outcome": outcome}))
        del self.failures[:-MOST_FAILURES]

    def _count(self, outcome: str, by: int) -> None:
        if outcome in (RunPhase.FAILED, RunPhase.REFUSED):
            self.failed += by
        else:
            self.cancelled += by


def _known(one: BackfillRun, runs: Mapping[str, RunSummary]) -> RunSummary | None:
    run = runs.get(one.run)
    return run if run is not None and one.uid in (None, run.uid) else None


def counted(number: int, thing: str) -> str:
    """`1 slot`, `12 slots`."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
