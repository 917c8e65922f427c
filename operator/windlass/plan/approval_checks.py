"""What is wrong with an approval before it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from windlass.models.approval import OnTimeout
from windlass.models.findings import Finding, Path, Severity
from windlass.models.task import Task
from windlass.plan.params import check_form
from windlass.plan.templates import has_templates

OWN_OUTPUT: Final = "approvedBy"
"""The output that the controller writes itself."""


def check_approval(task: Task, path: Path) -> Iterator[Finding]:
    """Everything that is wrong with the approval of a task, if it is one."""
    approval = task.approval
    if approval is None:
        return
    form = (*path, "approval", "form")
    yield from check_form(approval.form, form)
    for name, schema in approval.form.items():
        if name == OWN_OUTPUT:
            yield Finding((*form, name), f"{OWN_OUTPUT} is who approved: call the value something else")
        if "sensitive" in schema:
            yield Finding((*form, name), "a form has no sensitive values: they would stand in the status")
        if any(has_templates(text) for text in _texts(schema)):
            yield Finding((*form, name), "templates are not rendered here", "write the value out")
    if task.timeout is not None:
        message = "timeout is for attempts, and an approval has none"
        yield Finding((*path, "timeout"), message, "write it in approval.timeout", Severity.WARNING)
    if approval.on_timeout is not None and approval.timeout is None:
        message = "onTimeout has no effect: without a timeout the approval waits for ever"
        yield Finding((*path, "approval", "onTimeout"), message, "add approval.timeout", Severity.WARNING)
    without = [name for name, schema in approval.form.items() if "default" not in schema]
    if approval.on_timeout is OnTimeout.APPROVE and without:
        message = f"approved by its timeout the task has no output {without[0]}: the value has no default"
        yield Finding((*form, without[0]), message, "give it a default", Severity.WARNING)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
