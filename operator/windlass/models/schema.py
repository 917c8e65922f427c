"""From pydantic models to structural schemas, the part of JSON Schema that custom resource definitions may use.

Real servers refuse references, unions with null, open objects beside properties, and formats that they don't know. What
is a reference becomes the thing itself, what is optional is simply not required, and what is any object keeps its
fields. Rules (CEL) are hung on the schema of the model that they speak of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from windlass.models.rules import RULES, Rule

Schema = dict[str, Any]

_KEPT: Final = (
    "type", "format", "pattern", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
    "minProperties", "maxProperties", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
    "x-kubernetes-int-or-string",
)  # fmt: skip
_FORMATS: Final = frozenset({"date-time", "date", "duration", "byte", "int32", "int64", "float", "double"})
_ANYTHING: Final[Schema] = {"x-kubernetes-preserve-unknown-fields": True}


def structural(model: type[BaseModel], rules: Mapping[str, tuple[Rule, ...]] = RULES) -> Schema:
    """The structural schema of `model`, with the rules of each model in it."""
    document = model.model_json_schema(by_alias=True)
    return _Conversion(document.get("$defs", {}), rules).convert(document)


class _Conversion:
    """One document: its definitions, and the rules by the name of the model that they belong to."""

    def __init__(self, definitions: Mapping[str, Schema], rules: Mapping[str, tuple[Rule, ...]]) -> None:
        self._definitions = definitions
        self._rules = rules

    def convert(self, node: Schema) -> Schema:
        """The structural form of one schema, and of all in it."""
        node = self._resolved(node)
        if {option.get("type") for option in node.get("anyOf", ())} - {"null"} == {"integer", "string"}:
            return {**_description(node), "x-kubernetes-int-or-string": True}
        if "anyOf" in node or "oneOf" in node:
            raise ValueError(f"a structural schema has no unions: {node}")
        result = _description(node)
        result |= {key: node[key] for key in _KEPT if key in node}
        if result.get("format") not in _FORMATS:
            result.pop("format", None)
        if "const" in node:
            result["enum"] = [node["const"]]
        for bound in ("Minimum", "Maximum"):
            if f"exclusive{bound}" in node:
                result |= {bound.lower(): node[f"exclusive{bound}"], f"exclusive{bound}": True}
        if node.get("serverDefault"):
            result["default"] = node["default"]
        return result | self._content(node)

    def _content(self, node: Schema) -> Schema:
        """What is in an object or a list, or that it can be anything."""
        if "items" in node:
            return {"items": self.convert(node["items"])}
        if "properties" in node:
            content: Schema = {"properties": {name: self.convert(part) for name, part in node["properties"].items()}}
            if node.get("required"):
                content = {"required": node["required"], **content}
            rules = self._rules.get(node.get("title", ""), ())
            return content | ({"x-kubernetes-validations": [rule.as_cel() for rule in rules]} if rules else {})
        values = node.get("additionalProperties")
        if isinstance(values, dict) and values:
            return {"additionalProperties": self.convert(values)}
        if node.get("type") in ("object", None):
            return dict(_ANYTHING)
        return {}

    def _resolved(self, node: Schema) -> Schema:
        """The schema without a reference and without `or null`; what stands beside these wins."""
        for key in ("anyOf", "allOf"):
            options = [option for option in node.get(key, ()) if option != {"type": "null"}]
            if len(options) == 1:
                beside = {name: value for name, value in node.items() if name != key}
                return self._resolved({**self._resolved(options[0]), **_without_title(beside)})
        if "$ref" in node:
            beside = {name: value for name, value in node.items() if name != "$ref"}
            target = self._definitions[node["$ref"].removeprefix("#/$defs/")]
            return self._resolved({**target, **beside})
        return node


def _without_title(node: Schema) -> Schema:
    """The titles that pydantic makes for fields would hide the name of the model."""
    return {key: value for key, value in node.items() if key != "title"}


def _description(node: Schema) -> Schema:
    """The description in one line, where there is one."""
    return {"description": " ".join(node["description"].split())} if node.get("description") else {}


def described(model: type[BaseModel]) -> Schema:
    """The description of `model`, as the beginning of its schema."""
    return _description({"description": model.__doc__ or ""})
