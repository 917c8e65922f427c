"""What the reader may do about a failed attempt, or about a pod that does not start.

The facts in `detail`: `message`, `exitCode`, `image`, `memoryLimit`, `user`, `node`, `container`, `limit`, `timeout`.
"""

from __future__ import annotations

import re
from typing import Final

from windlass.models.run import FailureClass, TaskPhase, TaskStatus
from windlass.plan.hint_table import ROWS, Detail, Row
from windlass.plan.reasons import KUBERNETES, entry
from windlass.plan.types import PodResult

_START: Final = FailureClass.START
_AS_USUAL: Final = ("ContainerCreating", "PodInitializing")
"""Where every pod passes through."""


def hint(failure: FailureClass, reason: str, detail: Detail) -> str:
    """What to do about a failure of this class and reason."""
    for row in ROWS:
        if _fits(row, failure, reason, detail):
            return row.advice if isinstance(row.advice, str) else row.advice(detail)
    return ""


def hint_of(result: PodResult) -> str:
    """What to do about the end of a pod; nothing for a good one."""
    if result.failure is None:
        return ""
    facts = {**result.detail, "message": result.message, "exitCode": result.exit_code, "limit": result.limit_bytes}
    return hint(result.failure, result.reason, facts)


def hint_for(task: TaskStatus) -> str:
    """What to do about a task that waits, or that failed without an attempt; nothing when there is nothing to do."""
    if task.phase is TaskPhase.STARTING and task.reason is not None and not task.reason.startswith(_AS_USUAL):
        detail = {"message": task.message}
        row = next(
            (row for row in ROWS if task.reason in row.reasons and _fits(row, _START, task.reason, detail)), None
        )
        if row is not None:
            return hint(_START, task.reason, detail)
    known = entry(task.phase, task.reason)
    return known.do if known is not None and known.reason != KUBERNETES else ""


def _fits(row: Row, failure: FailureClass, reason: str, detail: Detail) -> bool:
    if row.failure is not failure or (row.reasons and reason not in row.reasons):
        return False
    if row.exit_codes and detail.get("exitCode") not in row.exit_codes:
        return False
    return not row.words or re.search(row.words, str(detail.get("message") or ""), re.IGNORECASE) is not None
