"""Extract: fetch the orders of one day into the workspace. The shops' export is a directory with a file a day."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from handover import read_csv, workspace_file, write_csv, write_outputs

EXPORT = Path(__file__).parent / "orders"
COLUMNS = ("order", "store", "product", "quantity", "unit_price", "currency", "status")


def check_columns(found: dict[str, str]) -> None:
    """ValueError when the export lacks a column: better here than as a wrong sum in the warehouse."""
    missing = [name for name in COLUMNS if name not in found]
    if missing:
        raise ValueError(f"the export has no column {', '.join(missing)}: it has {', '.join(found)}")


def main() -> int:
    """Copy the day's orders to the workspace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--day", required=True, help="which day: 2025-04-01")
    parser.add_argument("--export", type=Path, default=EXPORT, help="the directory of the shops' export")
    arguments = parser.parse_args()
    source = arguments.export / f"{arguments.day}.csv"
    if not source.exists():
        days = ", ".join(sorted(path.stem for path in arguments.export.glob("*.csv"))) or "none"
        print(f"no export of {arguments.day} yet, only of these days: {days}", file=sys.stderr)
        return 1
    orders = read_csv(source)
    if orders:
        check_columns(orders[0])
    target = workspace_file(f"orders-{arguments.day}.csv")
    write_csv(target, COLUMNS, ({name: order[name] for name in COLUMNS} for order in orders))
    write_outputs({"day": arguments.day, "file": target.name, "orders": len(orders)})
    print(f"{len(orders)} orders of {arguments.day}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
