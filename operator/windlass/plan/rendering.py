"""A task with its templates replaced, as its pod is made from it.

In command, args and the values of env Kubernetes turns `$$` into `$` and expands `$(VAR)`: what a template gives is
doubled there, so that it arrives untouched. A script's `$` are doubled as a whole by the build layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from windlass.models.common import JsonObject
from windlass.models.task import Task
from windlass.plan.templates import TemplateError, has_templates, render, render_text, secret_reference

_CONTAINERS: Final = ("init_containers", "sidecars")
_EXPANDED: Final = ("command", "args")
_NOT_TEMPLATES: Final = frozenset({"name", "description", "depends_on", "when", "for_each", "produces"})
_FIELDS: Final = tuple(name for name in Task.model_fields if name not in _NOT_TEMPLATES)
MAX_SCRIPT: Final = 102_400


def render_task(task: Task, context: Mapping[str, Any]) -> Task:
    """The task with all of its templates replaced. TemplateError names the field and the expression."""
    update: dict[str, Any] = {}
    for field in _FIELDS:
        value = getattr(task, field)
        if isinstance(value, str | list | dict) and value and _has_templates(value):
            update[field] = _render_field(field, value, context)
    if len(update.get("script", "").encode()) > MAX_SCRIPT:
        raise TemplateError(
            "the script is larger than 100 KiB with its values put in: pass them by env", "", ("script",)
        )
    return task.model_copy(update=update) if update else task


def _has_templates(value: Any) -> bool:
    if isinstance(value, str):
        return has_templates(value)
    if isinstance(value, Mapping):
        return any(map(_has_templates, value.values()))
    return isinstance(value, list | tuple) and any(map(_has_templates, value))


def _render_field(field: str, value: Any, context: Mapping[str, Any]) -> Any:
    name = _manifest_name(field)
    if field in _EXPANDED:
        return render_text({name: value}, context, double_dollar=True)[name]
    if field == "env":
        return _render_env(value, context, (name,))
    if field in _CONTAINERS:
        return [_render_container(item, context, (name, place)) for place, item in enumerate(value)]
    if field == "pod_template":
        return _render_pod_template(value, context, name)
    if field in ("labels", "annotations", "node_selector") or isinstance(value, str):
        return render_text({name: value}, context)[name]
    return render({name: value}, context)[name]


def _render_env(env: Sequence[JsonObject], context: Mapping[str, Any], path: tuple[str | int, ...]) -> list[JsonObject]:
    return [_render_variable(entry, context, (*path, place)) for place, entry in enumerate(env)]


def _render_variable(entry: JsonObject, context: Mapping[str, Any], path: tuple[str | int, ...]) -> JsonObject:
    """An environment variable; a sensitive parameter becomes a reference to its Secret."""
    text = entry.get("value")
    rest = {key: value for key, value in entry.items() if key != "value"}
    made = {key: _below(path, key, value, context) if _has_templates(value) else value for key, value in rest.items()}
    if text is None:
        return made
    if not isinstance(text, str) or not has_templates(text):
        return {**made, "value": text}
    try:
        if (source := secret_reference(text, context)) is not None:
            return {**made, "valueFrom": source}
        return {**made, "value": render_text(text, context, double_dollar=True)}
    except TemplateError as error:
        raise TemplateError(error.problem, error.expression, (*path, "value")) from None


def _render_container(container: Any, context: Mapping[str, Any], path: tuple[str | int, ...]) -> Any:
    """A container of Kubernetes' own shape."""
    if not isinstance(container, Mapping):
        return container
    made: dict[str, Any] = {}
    for key, value in container.items():
        if not _has_templates(value):
            made[key] = value
        elif key in _EXPANDED:
            made[key] = _below(path, key, value, context, text=True)
        elif key == "env" and isinstance(value, list):
            made[key] = _render_env(value, context, (*path, key))
        else:
            made[key] = _below(path, key, value, context)
    return made


def _render_pod_template(template: JsonObject, context: Mapping[str, Any], name: str) -> JsonObject:
    spec = template.get("spec")
    made = {
        key: render_text({name: {key: value}}, context)[name][key] for key, value in template.items() if key != "spec"
    }
    if not isinstance(spec, Mapping):
        return made if spec is None else {**made, "spec": spec}
    rendered: dict[str, Any] = {}
    for key, value in spec.items():
        if key in ("containers", "initContainers") and isinstance(value, list):
            rendered[key] = [
                _render_container(item, context, (name, "spec", key, place)) for place, item in enumerate(value)
            ]
        else:
            rendered[key] = _below((name, "spec"), key, value, context)
    return {**made, "spec": rendered}


def _below(path: tuple[str | int, ...], key: str, value: Any, context: Mapping[str, Any], *, text: bool = False) -> Any:
    """Render a value, with errors that say where in the task it stands."""
    try:
        return render_text(value, context, double_dollar=True) if text else render(value, context, double_dollar=False)
    except TemplateError as error:
        raise TemplateError(error.problem, error.expression, (*path, key, *error.path)) from None


def _manifest_name(field: str) -> str:
    first, *others = field.split("_")
    return first + "".join(word.capitalize() for word in others)
