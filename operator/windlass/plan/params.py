"""Parameters: whether their schemas are sound, and whether the values of a run are as the schemas want them.

Schemas are JSON Schema 2020-12, checked without the parts that could make the check endless or reach out of the
object: references and Python's own regular expressions. Patterns run in the linear-time engine of pydantic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker, SchemaError, ValidationError
from jsonschema.validators import extend
from pydantic import Field, TypeAdapter
from pydantic import ValidationError as PatternMismatch

from windlass.models.common import JsonObject, parse_time, seconds
from windlass.models.findings import Finding, Path, suggestion
from windlass.models.workflow import WorkflowSpec
from windlass.plan.template_syntax import parse
from windlass.plan.template_values import SecretReference
from windlass.plan.templates import TemplateError, has_templates, names_read, render

_UNSUPPORTED: Final = ("$ref", "$dynamicRef", "$recursiveRef", "patternProperties")
_OWN: Final = ("sensitive",)
_MAX_DEPTH: Final = 32


def sensitive_params(spec: WorkflowSpec) -> frozenset[str]:
    """The parameters that are given as references to Secrets."""
    return frozenset(name for name, schema in spec.params.items() if schema.get("sensitive") is True)


def guarded(spec: WorkflowSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as templates may see them: the sensitive ones as references, and nothing else as one."""
    hidden = sensitive_params(spec)
    return {name: SecretReference(_key_ref(value)) if name in hidden else value for name, value in params.items()}


def _key_ref(value: Any) -> Mapping[str, Any]:
    return value["secretKeyRef"] if _is_secret_ref(value) else {}


def sensitive_read(text: str, spec: WorkflowSpec) -> str | None:
    """The sensitive parameter that a text is the template of, and nothing else: `{{ params.token }}`."""
    if not has_templates(text) or parse(text).single is None:
        return None
    paths = names_read(text)
    path = next(iter(paths)) if len(paths) == 1 else ()
    if len(path) != 2 or path[0] != "params" or path[1] not in sensitive_params(spec):
        return None
    name = str(path[1])
    bare = "".join(text.split()).strip("{}")
    return name if bare in (f"params.{name}", f"params['{name}']", f'params["{name}"]') else None


def check_schemas(spec: WorkflowSpec, path: Path) -> list[Finding]:
    """What is wrong with the parameters' schemas and defaults."""
    return check_form(spec.params, path)


def check_form(schemas: Mapping[str, JsonObject], path: Path) -> list[Finding]:
    """What is wrong with schemas of values, and their defaults."""
    return [found for name, schema in schemas.items() for found in _check_schema(name, schema, (*path, name))]


def check_params(
    spec: WorkflowSpec, given: Mapping[str, Any], context: Mapping[str, Any], path: Path = ("spec", "params")
) -> tuple[dict[str, Any], list[Finding]]:
    """The values of all parameters, defaults rendered with `context`, and what is wrong with them. Values that a run
    gives are never rendered."""
    findings = [
        Finding(
            (*path, name),
            f"the workflow has no parameter {name}",
            suggestion(name, spec.params) or _there_are(spec.params),
        )
        for name in given
        if name not in spec.params
    ]
    values: dict[str, Any] = {}
    for name, schema in spec.params.items():
        try:
            if name in given:
                values[name] = given[name]
            elif "default" in schema:
                values[name] = render(schema["default"], context)
            else:
                findings.append(Finding(path, f"the parameter {name} has no value", "give it one, it has no default"))
                continue
        except TemplateError as error:
            findings.append(Finding((*path, name), f"its default can't be rendered: {error}"))
            continue
        findings += _check_value(name, schema, values[name], (*path, name))
    return values, findings


def check_given(schemas: Mapping[str, JsonObject], given: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with the values that a run is about to give, as far as their schemas are sound."""
    return [
        Finding((name,), f"the workflow has no parameter {name}", suggestion(name, schemas) or _there_are(schemas))
        for name in given
        if name not in schemas
    ] + [
        found
        for name, value in given.items()
        if name in schemas and not list(_check_schema(name, schemas[name], ()))
        for found in _check_value(name, schemas[name], value, (name,))
    ]


def _there_are(schemas: Mapping[str, JsonObject]) -> str:
    return f"there are: {', '.join(sorted(schemas))}" if schemas else "it takes none"


def _check_value(name: str, schema: JsonObject, value: Any, path: Path) -> Iterator[Finding]:
    if schema.get("sensitive") is True:
        if not _is_secret_ref(value):
            fix = "write {secretKeyRef: {name: …, key: …}}"
            yield Finding(path, f"{name} is sensitive: its value stands in a Secret, never in a run", fix)
        return
    try:
        for error in sorted(_validator(schema).iter_errors(value), key=lambda one: [str(part) for part in one.path]):
            yield Finding((*path, *error.absolute_path), _shortened(error.message))
    except RecursionError:
        yield Finding(path, "the value is nested too deep")


def _is_secret_ref(value: Any) -> bool:
    if not isinstance(value, Mapping) or set(value) != {"secretKeyRef"}:
        return False
    ref = value["secretKeyRef"]
    names = isinstance(ref, Mapping) and set(ref) <= {"name", "key", "optional"} and [ref.get("name"), ref.get("key")]
    return bool(names) and all(isinstance(one, str) and one for one in names or ())


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:197]}..."


def _check_schema(name: str, schema: JsonObject, path: Path) -> Iterator[Finding]:
    if name.startswith("_"):
        yield Finding(path, "names that begin with _ can't be read by templates")
    if not isinstance(schema.get("sensitive", False), bool):
        yield Finding((*path, "sensitive"), "sensitive is true or false")
    unsupported = list(_unsupported(schema, path, 0))
    yield from unsupported
    if unsupported:
        return
    try:
        Draft202012Validator.check_schema(_without_own(schema))
    except SchemaError as error:
        yield Finding((*path, *error.absolute_path), f"this is no JSON Schema: {_shortened(error.message)}")
        return
    default = schema.get("default")
    if "default" in schema and (schema.get("sensitive") is True or not _holds_templates(default)):
        yield from _check_value(name, schema, default, (*path, "default"))


def _unsupported(schema: Any, path: Path, depth: int) -> Iterator[Finding]:
    if depth > _MAX_DEPTH:
        yield Finding(path[:4], "the schema is nested too deep")
    elif isinstance(schema, Mapping):
        for key, part in schema.items():
            if key in _UNSUPPORTED and isinstance(part, str | Mapping):
                yield Finding((*path, key), f"{key} is not supported in the schema of a parameter", "write it out")
            elif key == "pattern" and isinstance(part, str) and (problem := _wrong_pattern(part)):
                yield Finding((*path, key), f"the pattern can't be used: {problem}")
            elif key not in ("default", "const", "enum", "examples"):
                yield from _unsupported(part, (*path, key), depth + 1)
    elif isinstance(schema, list):
        for place, part in enumerate(schema):
            yield from _unsupported(part, (*path, place), depth + 1)


def _holds_templates(value: Any) -> bool:
    if isinstance(value, str):
        return has_templates(value)
    if isinstance(value, Mapping):
        return any(_holds_templates(part) for part in value.values())
    return isinstance(value, list) and any(_holds_templates(part) for part in value)


def _without_own(schema: JsonObject) -> JsonObject:
    return {key: part for key, part in schema.items() if key not in _OWN}


def _wrong_pattern(pattern: str) -> str:
    try:
        _matcher(pattern)
    except Exception as error:  # pydantic-core's SchemaError is no public class
        return str(error).strip().splitlines()[-1][:120]
    return ""


@lru_cache(maxsize=1024)
def _matcher(pattern: str) -> TypeAdapter[str]:
    return TypeAdapter(Annotated[str, Field(pattern=pattern)])


def _pattern(validator: Any, pattern: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str):
        try:
            _matcher(pattern).validate_python(instance, strict=True)
        except PatternMismatch:
            yield ValidationError(f"{instance[:60]!r} does not match {pattern!r}")


def _formats() -> FormatChecker:
    checker = FormatChecker(formats=("date", "email", "ipv4", "ipv6", "uuid"))
    checker.checks("date-time", raises=ValueError)(lambda value: _is(parse_time, value))
    checker.checks("duration", raises=ValueError)(lambda value: _is(seconds, value))
    checker.checks("uri", raises=ValueError)(lambda value: not isinstance(value, str) or bool(urlsplit(value).scheme))
    return checker


def _is(read: Any, value: Any) -> bool:
    if isinstance(value, str):
        read(value)
    return True


_FORMATS: Final = _formats()
_Validator: Final[Any] = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]  # its stub


def _validator(schema: JsonObject) -> Any:
    return _Validator(_without_own(schema), format_checker=_FORMATS)
