"""How much memory an attempt gets after one that was killed for want of it."""

from __future__ import annotations

import re
from math import ceil
from typing import Final

from windlass.models.task import OomGrowth, Task

_QUANTITY: Final = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3}|[a-zA-Z]{0,2})\s*")
_FACTORS: Final[dict[str, float]] = {
    "": 1, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
}  # fmt: skip
_MEBIBYTE: Final = 2**20


def parse_quantity(text: str) -> float:
    """The number that a Kubernetes quantity stands for. ValueError when it is none."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no quantity: write 512Mi or 1.5Gi")
    number, unit = match.groups()
    if unit in _FACTORS:
        return float(number) * _FACTORS[unit]
    if unit[:1] in "eE" and len(unit) > 1:
        return float(f"{number}{unit}")
    raise ValueError(f"{text!r} is no quantity: write 512Mi or 1.5Gi")


def grown_memory(current: str, growth: OomGrowth) -> str:
    """`current` times the factor in whole mebibytes, at most the maximum, never less than `current`."""
    now = parse_quantity(current)
    wanted = now * growth.factor
    most = parse_quantity(growth.max) if growth.max is not None else None
    if growth.max is not None and most is not None and wanted >= most:
        return growth.max if most > now else current
    return f"{ceil(wanted / _MEBIBYTE)}Mi" if wanted > now else current


def memory_limit(task: Task) -> str | None:
    """The memory that a task asks for: its limit, else its request."""
    resources = task.resources or {}
    for kind in ("limits", "requests"):
        amount = (resources.get(kind) or {}).get("memory")
        if amount is not None:
            return str(amount)
    return None
