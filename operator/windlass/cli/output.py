"""What commands print: JSON, YAML, names, and tables like kubectl's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar

import click

from windlass.names import GROUP

Body = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])


_CONTROL: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Colours and other orders to a terminal, as programs print them, and what else has no shape."""


class Format(StrEnum):
    """What `-o` takes."""

    JSON = "json"
    YAML = "yaml"
    NAME = "name"
    WIDE = "wide"


def format_option(*formats: Format) -> Callable[[F], F]:
    """The option `-o`, given to the command as `output`."""
    return click.option(
        "-o", "--output", type=_Choice(formats), default=None, help="What to print instead of text for people."
    )


class _Choice(click.Choice[Any]):
    def __init__(self, formats: Sequence[Format]) -> None:
        super().__init__([found.value for found in formats])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Format | None:
        return Format(super().convert(value, param, ctx))


def structured(value: Any, output: Format) -> str:
    """A value as JSON or YAML."""
    if output is Format.JSON:
        return json.dumps(value, indent=2, ensure_ascii=False)
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    return text.rstrip("\n")


def objects(found: Sequence[Body], output: Format, *, as_list: bool) -> str:
    """Objects as `-o` wants them; several as one List, like kubectl."""
    if output is Format.NAME:
        return "\n".join(resource_name(item) for item in found)
    whole: Any = {"apiVersion": "v1", "kind": "List", "items": list(found)} if as_list else found[0]
    return structured(whole, output)


def resource_name(obj: Body) -> str:
    """`workflowrun.windlass.dev/hello-x2v9p`, as kubectl writes it."""
    kind = str(obj.get("kind", "")).lower()
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    return f"{kind}.{group}/{obj['metadata']['name']}" if group else f"{kind}/{obj['metadata']['name']}"


def run_name(name: str) -> str:
    """A run as kubectl names it."""
    return f"workflowrun.{GROUP}/{name}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be, three blanks apart."""
    lines = [header, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    return "\n".join(
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def plain(text: str) -> str:
    """A text that came from a task, without what could move a terminal's cursor or change its colours."""
    return _CONTROL.sub("", text)


def one_line(text: str) -> str:
    """The same on one line."""
    return " ".join(plain(text).split())
