"""The API reference, made from the models: one table a type, one line a field."""

from __future__ import annotations


def render() -> str:
    """The whole page."""
    return "# API reference\n"
