"""YAML files with manifests: several documents each, and the line that each value stands on."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from windlass.cli.failures import USAGE, Failure

Body = dict[str, Any]
Place = Sequence[str | int]

STANDARD_INPUT = "-"

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Plain(Loader):  # type: ignore[misc]  # the C loader where there is one
    """Reads what Kubernetes reads: a date is a string, and a key that is there twice is an error."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, expression) for tag, expression in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in Loader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file."""

    file: str
    value: Any
    node: yaml.Node

    def line(self, path: Place) -> int:
        """The line that the value at `path` begins on, or the innermost value around it that is there."""
        node = self.node
        line: int = node.start_mark.line
        for part in path:
            found = _child(node, part)
            if found is None:
                break
            line, node = found
        return line + 1


class Unreadable(Failure):
    """A file that can't be read, or is no YAML."""

    def __init__(self, message: str) -> None:
        super().__init__(message, USAGE)


def read_documents(file: str) -> list[Document]:
    """The documents of a file, or of the standard input; empty ones left out. Unreadable says file and line."""
    try:
        text = sys.stdin.read() if file == STANDARD_INPUT else Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{file}: is no text in UTF-8: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise Unreadable(f"{file}: {(error.strerror or str(error)).lower()}") from None
    shown = "<stdin>" if file == STANDARD_INPUT else file
    try:
        return list(_documents(shown, text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{shown}:{mark.line + 1}" if mark else shown
        raise Unreadable(f"{where}: is no YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Unreadable(f"{shown}: is no YAML: {' '.join(str(error).split())[:200]}") from None


def objects(documents: Sequence[Document]) -> list[Body]:
    """The manifests of documents, those of a List one by one. Unreadable when one is no object with a kind."""
    found: list[Body] = []
    for document in documents:
        value = document.value
        if not isinstance(value, dict) or not value.get("kind") or not value.get("apiVersion"):
            raise Unreadable(
                f"{document.file}:{document.line(())}: is no Kubernetes object: apiVersion and kind are missing"
            )
        found += value.get("items") or [] if value["kind"] == "List" else [value]
    return found


def _documents(file: str, text: str) -> Iterator[Document]:
    loader = _Plain(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            _refuse_doubles(node)
            value = loader.construct_document(node)
            if value is not None:
                yield Document(file, value, node)
    finally:
        loader.dispose()


def _refuse_doubles(root: yaml.Node) -> None:
    seen: set[int] = set()
    todo = [root]
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo += node.value
        if isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in keys and key.tag != "tag:yaml.org,2002:merge":
                        raise yaml.MarkedYAMLError(
                            problem=f'the key "{key.value}" is there twice', problem_mark=key.start_mark
                        )
                    keys.add(key.value)
                todo.append(value)


def _child(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item: yaml.Node = node.value[part]
        return item.start_mark.line, item
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(part):
                return key.start_mark.line, value
    return None
