"""What a benchmark answers: figures, each beside what it must and is hoped to be."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One number of one run. `must` and `aim` are most values, or least ones where more is better."""

    what: str
    value: float
    unit: str
    must: float | None = None
    aim: float | None = None
    more_is_better: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    def verdict(self) -> str:
        """Which of its two bounds the figure holds."""
        sign = -1 if self.more_is_better else 1
        for bound, word in ((self.aim, "aim"), (self.must, "must")):
            if bound is not None and sign * self.value <= sign * bound:
                return word
        return "MISSED" if self.must is not None else ""

    def line(self) -> str:
        bounds = [f"{word} {bound:g}" for word, bound in (("must", self.must), ("aim", self.aim)) if bound is not None]
        told = f"{self.what:<64} {self.value:>9.4g} {self.unit:<8} {', '.join(bounds):<22} {self.verdict()}".rstrip()
        return "\n".join([told, *(f"    {key}: {value}" for key, value in self.details.items())])


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of all lies, by nearest rank."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, round(share * len(ranked) + 0.5) - 1))]


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1024
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory MiB": memory,
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def load() -> float:
    """The mean number of processes that wanted a core in the last minute."""
    return round(os.getloadavg()[0], 2)


def write_json(path: Path, results: dict[str, dict[str, Any]]) -> None:
    """Keep the results; those of benchmarks that were not run this time stay."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**kept, **results}, indent=1) + "\n")


def as_result(figures: Iterable[Figure], load_before: float, seconds: float) -> dict[str, Any]:
    """One benchmark's result as JSON."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load before": load_before,
        "seconds": round(seconds, 1),
        "machine": machine(),
        "figures": [{**asdict(figure), "verdict": figure.verdict()} for figure in figures],
    }
