"""Parameters on the command line: `-p limit=50`, read as the Workflow's schema wants them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from windlass.models.findings import suggestion

Schemas = Mapping[str, Any]


def parse(given: Sequence[str], schemas: Schemas | None) -> dict[str, Any]:
    """The values of `key=value` texts. Without schemas, what is JSON is taken as JSON."""
    values: dict[str, Any] = {}
    for text in given:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise click.UsageError(f"-p {text}: write -p name=value")
        if key in values:
            raise click.UsageError(f"-p {key} is given twice")
        if schemas is not None and key not in schemas:
            raise click.UsageError(_unknown(key, schemas))
        values[key] = _value(key, value, (schemas or {}).get(key))
    if schemas is not None:
        _refuse_wrong(values, schemas)
    return values


def _refuse_wrong(values: Mapping[str, Any], schemas: Schemas) -> None:
    """Say at once what admission would refuse a moment later."""
    from windlass.plan.params import check_given

    found = check_given({name: schema for name, schema in schemas.items() if isinstance(schema, dict)}, values)
    if found:
        raise click.UsageError("; ".join(f"-p {item}" for item in found))


def _unknown(key: str, schemas: Schemas) -> str:
    if not schemas:
        return f"-p {key}: the Workflow has no parameters"
    hint = suggestion(key, schemas) or f"it has {', '.join(sorted(schemas))}"
    return f'-p {key}: the Workflow has no parameter "{key}"; {hint}'


def _value(key: str, text: str, schema: Any) -> Any:
    schema = schema if isinstance(schema, Mapping) else {}
    if schema.get("sensitive"):
        name, separator, secret_key = text.partition("/")
        if not separator or not name or not secret_key:
            raise click.UsageError(
                f"-p {key} is sensitive: say where its value is, -p {key}=SECRET/KEY, instead of the value"
            )
        return {"secretKeyRef": {"name": name, "key": secret_key}}
    types = schema.get("type")
    if types == "string":
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    # 1e3 or NaN are read as numbers only where a number is wanted.
    return value if types is not None or not isinstance(value, float) or "." in text else text
