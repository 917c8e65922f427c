"""Which run, task and attempt a line of the log is about: fields of the record, which formatters write.

log = of_run(logger, "data", "daily-1", uid, task="load")
log.warning("...")
"""

from __future__ import annotations

import logging
from typing import Any, Final

FIELDS: Final = ("run", "uid", "task", "attempt", "pod")


def of_run(
    logger: logging.Logger,
    namespace: str,
    name: str,
    uid: str | None = None,
    *,
    task: str | None = None,
    attempt: int | None = None,
    pod: str | None = None,
) -> logging.LoggerAdapter[logging.Logger]:
    """A logger whose lines say which run, and which of its tasks, they are about."""
    fields: dict[str, Any] = {"run": f"{namespace}/{name}", "uid": uid, "task": task, "attempt": attempt, "pod": pod}
    return logging.LoggerAdapter(logger, {key: value for key, value in fields.items() if value is not None})
