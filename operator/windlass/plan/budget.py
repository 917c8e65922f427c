"""Keeps a status within what etcd takes: messages are cut, and of many tasks the past is counted only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from windlass.models.run import Attempt, TaskStatus

MAX_MESSAGE: Final = 1024
MAX_ATTEMPTS: Final = 3
MAX_RUN_OUTPUTS: Final = 512 * 1024
MAX_STATUS: Final = 1024 * 1024
_SURELY_SMALL: Final = 40
"""So many tasks fit with all that they may say."""
_PER_TASK: Final = 280
_PER_ATTEMPT: Final = 170
_PER_PLACE: Final = 240
"""For where and when an attempt ran."""
_RESERVED: Final = 64 * 1024
"""For what stands in a status beside its tasks."""


def cut(text: str, limit: int = MAX_MESSAGE) -> str:
    """At most `limit` bytes: the beginning of a text, and that something is missing."""
    data = text.encode(errors="replace")
    return text if len(data) <= limit else data[: limit - 3].decode(errors="ignore") + "…"


def cut_log(text: str, limit: int = MAX_MESSAGE) -> str:
    """At most `limit` bytes: the end of a log, which says what went wrong."""
    data = text.encode(errors="replace")
    return text if len(data) <= limit else "…" + data[len(data) - limit + 3 :].decode(errors="ignore")


def json_size(value: Any) -> int:
    """The bytes that a value takes in a status, where the API server spells out what HTML minds."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode(errors="replace")) + 5 * sum(map(text.count, "<>&"))


def outputs_size(tasks: Iterable[TaskStatus]) -> int:
    """The bytes of all outputs of a run."""
    return sum(
        json_size(task.outputs) if task.instances is None else task.instances.output_bytes
        for task in tasks
        if task.outputs or task.instances is not None
    )


def fit(tasks: Sequence[TaskStatus], other_bytes: int = 0) -> Sequence[TaskStatus]:
    """The tasks, cut as far as it takes to fit; the very same where nothing is to be cut."""
    if len(tasks) <= _SURELY_SMALL:
        return tasks
    for reduce in (None, *_REDUCTIONS):
        tasks = tasks if reduce is None else [reduce(task) for task in tasks]
        if _RESERVED + other_bytes + sum(map(_size, tasks)) <= MAX_STATUS:
            break
    return tasks


def _size(task: TaskStatus) -> int:
    """The bytes of a task as JSON, or a little more."""
    size = _PER_TASK + len(task.name) + _length(task.message)
    for attempt in task.attempts:
        size += _PER_ATTEMPT + _length(attempt.message) + _length(attempt.hint)
        size += _PER_PLACE if attempt.uid is not None else 0
    size += task.instances.stored_bytes if task.instances is not None else 0
    return size + (json_size(task.outputs) if task.outputs else 0)


def _length(text: str | None) -> int:
    return json_size(text) if text else 0


def _without_past(task: TaskStatus) -> TaskStatus:
    if len(task.attempts) <= 1:
        return task
    dropped = (task.dropped or 0) + len(task.attempts) - 1
    return task.model_copy(update={"attempts": task.attempts[-1:], "dropped": dropped})


def _with_short_messages(limit: int) -> Callable[[TaskStatus], TaskStatus]:
    def reduce(task: TaskStatus) -> TaskStatus:
        update: dict[str, Any] = {}
        if task.message and len(task.message.encode()) > limit:
            update["message"] = cut(task.message, limit)
        attempts = [_shortened(attempt, limit) for attempt in task.attempts]
        if any(new is not old for new, old in zip(attempts, task.attempts, strict=True)):
            update["attempts"] = attempts
        return task.model_copy(update=update) if update else task

    return reduce


def _shortened(attempt: Attempt, limit: int) -> Attempt:
    update: Mapping[str, Any] = {
        name: cut(text, limit)
        for name, text in (("message", attempt.message), ("hint", attempt.hint))
        if text and len(text.encode()) > limit
    }
    return attempt.model_copy(update=update) if update else attempt


def _bare(task: TaskStatus) -> TaskStatus:
    """Of a task that has ended, only what is needed to know its pod."""
    if not task.phase.ended or (task.message is None and all(attempt.uid is None for attempt in task.attempts)):
        return task
    attempts = [attempt.model_copy(update=_NOTHING_SAID) for attempt in task.attempts]
    return task.model_copy(update={"attempts": attempts, "message": None})


_NOTHING_SAID: Final = dict.fromkeys(
    ("uid", "node", "created_at", "started_at", "exit_code", "message", "hint", "memory"), None
)
_REDUCTIONS: Final[tuple[Callable[[TaskStatus], TaskStatus], ...]] = (
    _without_past,
    _with_short_messages(256),
    _with_short_messages(64),
    _bare,
)
