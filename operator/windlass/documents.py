"""YAML texts with manifests: several documents each, and the line that each value stands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

Body = dict[str, Any]
Place = Sequence[str | int]

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Plain(Loader):  # type: ignore[misc]  # the C loader where there is one
    """Reads what Kubernetes reads: a date is a string, and a key that is there twice is an error."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, expression) for tag, expression in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in Loader.yaml_implicit_resolvers.items()
}


class NoManifest(ValueError):
    """A text that is no YAML, or holds no Kubernetes objects; the message says where."""


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


def documents(file: str, text: str) -> list[Document]:
    """The documents of a text, empty ones left out; `file` is what messages call it. NoManifest says what is wrong."""
    try:
        return list(_documents(file, text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark else file
        raise NoManifest(f"{where}: is no YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise NoManifest(f"{file}: is no YAML: {' '.join(str(error).split())[:200]}") from None


def objects(found: Sequence[Document]) -> list[Body]:
    """The manifests of documents, those of a List one by one. NoManifest when one is no object with a kind."""
    manifests: list[Body] = []
    for document in found:
        value = document.value
        if not isinstance(value, Mapping) or not value.get("kind") or not value.get("apiVersion"):
            raise NoManifest(
                f"{document.file}:{document.line(())}: is no Kubernetes object: apiVersion and kind are missing"
            )
        manifests += value.get("items") or [] if value["kind"] == "List" else [dict(value)]
    return manifests


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
