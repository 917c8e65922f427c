"""Memory quantities, and the resources of an attempt whose memory grew after an OOM kill."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

JsonObject = dict[str, Any]

_UNITS: Final = {
    "m": Decimal("0.001"), "": Decimal(1),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
}  # fmt: skip
_QUANTITY: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([0-9]{1,2})|([KMGTPE]i|[mkMGTPE]?))")
_MI: Final = 1024 * 1024


def parse_quantity(text: str | int | float) -> Decimal:
    """A Kubernetes quantity as a number. ValueError when it is none."""
    found = _QUANTITY.fullmatch(str(text).strip())
    if found is None:
        raise ValueError(f"{text!r} is no quantity: write 512Mi or 2Gi")
    number, exponent, unit = found.groups()
    return Decimal(number) * (Decimal(10) ** int(exponent) if exponent else _UNITS[unit])


def grown(resources: JsonObject | None, memory: str | None) -> JsonObject | None:
    """`resources` with `memory` as the memory limit; the memory request grows in the same proportion."""
    if memory is None:
        return resources
    said = resources or {}
    limits: JsonObject = dict(said.get("limits") or {})
    requests: JsonObject = dict(said.get("requests") or {})
    if "memory" in requests:
        before, after = parse_quantity(limits.get("memory") or requests["memory"]), parse_quantity(memory)
        ratio = after / before if before else Decimal(1)
        requests["memory"] = _format(min(parse_quantity(requests["memory"]) * ratio, after))
    result: JsonObject = {**said, "limits": {**limits, "memory": memory}}
    return {**result, "requests": requests} if requests else result


def _format(quantity: Decimal) -> str:
    amount = int(quantity.to_integral_value(ROUND_CEILING))
    return f"{amount // _MI}Mi" if amount % _MI == 0 else str(amount)
