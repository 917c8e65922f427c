"""Load: put a day's sales into the warehouse, in one transaction, instead of what it had of that day.

A run made again, or an attempt after one that was lost half-way, leaves the warehouse as one good run would.
"""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from handover import read_csv, workspace_file, write_outputs

SCHEMA = """
CREATE TABLE IF NOT EXISTS sales (
  day TEXT NOT NULL,
  order_id TEXT NOT NULL,
  store TEXT NOT NULL,
  product TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  cents INTEGER NOT NULL,
  PRIMARY KEY (day, order_id)
)
"""


def load(warehouse: Path, day: str, sales: Sequence[Mapping[str, str]]) -> int:
    """Replace the day's sales in the warehouse; return how many it had of that day before."""
    rows = [
        (day, sale["order"], sale["store"], sale["product"], int(sale["quantity"]), int(Decimal(sale["amount"]) * 100))
        for sale in sales
    ]
    with closing(sqlite3.connect(warehouse, timeout=60)) as connection, connection:
        connection.execute(SCHEMA)
        replaced = connection.execute("DELETE FROM sales WHERE day = ?", (day,)).rowcount
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?)", rows)
    return replaced


def by_store(warehouse: Path, day: str) -> dict[str, str]:
    """The day's revenue of each store, as the warehouse has it."""
    question = "SELECT store, SUM(cents) FROM sales WHERE day = ? GROUP BY store ORDER BY store"
    with closing(sqlite3.connect(warehouse, timeout=60)) as connection:
        return {store: f"{Decimal(cents) / 100:.2f}" for store, cents in connection.execute(question, (day,))}


def main() -> None:
    """Load the file that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sales", required=True, help="the file of the workspace with the sales")
    parser.add_argument("--warehouse", required=True, type=Path, help="the warehouse's SQLite file")
    arguments = parser.parse_args()
    day = arguments.sales.removeprefix("sales-").removesuffix(".csv")
    sales = read_csv(workspace_file(arguments.sales))
    replaced = load(arguments.warehouse, day, sales)
    stores = by_store(arguments.warehouse, day)
    write_outputs({"day": day, "loaded": len(sales), "replaced": replaced, "stores": stores})
    print(f"{day}: {len(sales)} sales loaded, {replaced} replaced; " + ", ".join(f"{k} {v}" for k, v in stores.items()))


if __name__ == "__main__":
    main()
