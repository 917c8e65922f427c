"""`python benchmarks/table.py`: writes the figures of results.json into the tables of README.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
_TABLES: Final = re.compile(r"(<!-- figures: (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)
_MACHINE: Final = re.compile(r"(<!-- machine -->\n).*?(<!-- end -->)", re.DOTALL)
_HEAD: Final = "| what | must | aim | measured | | load before | command |\n|---|---|---|---|---|---|---|\n"


def main() -> None:
    results: dict[str, dict[str, Any]] = json.loads((HERE / "results.json").read_text())
    page = HERE / "README.md"
    text = _TABLES.sub(lambda found: found[1] + _table(results, found[2].split()) + found[3], page.read_text())
    where = next(iter(results.values()))["machine"]
    told = f"{where['cpu']}, {where['cores']} cores, {where['memory MiB'] / 1024:.0f} GiB, Linux {where['kernel']}, "
    told += f"Python {where['python']}.\n"
    page.write_text(_MACHINE.sub(lambda found: found[1] + told + found[2], text))


def _table(results: dict[str, dict[str, Any]], names: list[str]) -> str:
    rows = [
        _row(figure, results[name], name) for name in names if name in results for figure in results[name]["figures"]
    ]
    return _HEAD + "".join(rows)


def _row(figure: dict[str, Any], result: dict[str, Any], name: str) -> str:
    sign = "≥ " if figure["more_is_better"] else "≤ "
    must, aim = (f"{sign}{figure[key]:g}" if figure[key] is not None else "–" for key in ("must", "aim"))
    verdict = {"aim": "aim met", "must": "must met", "MISSED": "**missed**", "": ""}[figure["verdict"]]
    measured = f"{figure['value']:.3g} {figure['unit']}".strip()
    return (
        f"| {figure['what']} | {must} | {aim} | {measured} | {verdict} | {result['load before']} | `run.py {name}` |\n"
    )


if __name__ == "__main__":
    main()
