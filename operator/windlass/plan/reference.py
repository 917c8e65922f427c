"""Pages of the docs that are made from the planner's tables: phases and reasons, and failures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from windlass.models.run import FailureClass
from windlass.plan.hint_table import ROWS, Row
from windlass.plan.reasons import RUNS, TASKS, Entry

_BUDGETS: Final = {
    FailureClass.APP: ("the task's program ended with another exit code than 0, or its outputs can't be taken",
                       "`retry.limit`; `retry.exitCodes` may say never or always"),
    FailureClass.OOM: ("killed for want of memory", "`retry.limit`; memory grows by `retry.oom.factor` up to "
    "`retry.oom.max`"),
    FailureClass.TIMEOUT: ("the task's `timeout` passed", "`retry.limit`"),
    FailureClass.INFRA: ("the pod was taken away: eviction, preemption, a lost node, a deletion by others. Exit "
                         "code 0 counts as "
                         "this, too, when the pod was told to end before: a program that ends well on TERM has not "
                         "done its work",
                         "`retry.infraLimit` (5), retried at once"),
    FailureClass.START: ("the pod did not start within `startTimeout`: image, configuration, "
                         "scheduling", "`retry.limit`"),
    FailureClass.LAUNCH: ("the API server refused the pod for good, or a template failed", "nothing: the task fails "
    "at once"),
}  # fmt: skip
_EXAMPLE: Final = {"image": "IMAGE", "memoryLimit": "512Mi", "node": "NODE", "container": "NAME"}


def phases_and_reasons() -> str:
    """docs/phases-and-reasons.md."""
    return _page(
        "Phases and reasons",
        "What `status.phase` and `status.reason` of a run and of its tasks say. This page is made from "
        "`windlass/plan/reasons.py` by `python -m windlass.cli.docs`.",
        "## Runs",
        _table(("phase", "reason", "what it means", "what comes next", "what you may do"), map(_entry, RUNS)),
        "## Tasks",
        _table(("phase", "reason", "what it means", "what comes next", "what you may do"), map(_entry, TASKS)),
    )


def failures() -> str:
    """docs/failures.md."""
    sections: list[str] = []
    for failure in FailureClass:
        what, _ = _BUDGETS[failure]
        rows = [row for row in ROWS if row.failure is failure]
        sections += [f"## {failure.value}", f"{what[0].upper()}{what[1:]}.", _table(_HEADS, map(_failure, rows))]
    return _page(
        "Failures",
        "Every failed attempt has a class, which says whose fault it is and so which budget a retry spends, a "
        "reason, a "
        "message, and a hint. This page is made from `windlass/plan/hint_table.py` by `python -m windlass.cli.docs`.",
        _table(("class", "what", "spends"), ((f.value, *_BUDGETS[f]) for f in FailureClass)),
        "A quota that is used up, 429, 5xx or a network error is no failure of a task: it stays Queued with the "
        "reason, and is "
        "tried again.",
        *sections,
    )


_HEADS: Final = ("failure", "reasons", "hint")


def _failure(row: Row) -> tuple[str, ...]:
    detail = {**_EXAMPLE, "exitCode": row.exit_codes[0] if row.exit_codes else 1}
    hint = row.advice if isinstance(row.advice, str) else row.advice(detail)
    codes = f"exit code {row.exit_codes[0]}" + ("…" if len(row.exit_codes) > 1 else "") if row.exit_codes else ""
    reasons = (
        ", ".join(f"`{reason}`" for reason in row.reasons) or codes or ("by its message" if row.words else "any other")
    )
    return row.what, reasons, hint


def _entry(entry: Entry) -> tuple[str, ...]:
    return entry.phase.value, f"`{entry.reason}`" if entry.reason else "", entry.meaning, entry.then, entry.do


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", *parts)) + "\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
