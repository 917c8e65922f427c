"""Make the two tables of the example and fill them: `python seed.py SHOPPING_URL FACTOR_URL` (SQLAlchemy's URLs).

Run again, it makes them anew. It is for databases made for this example: tables of these names are dropped.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "tasks"))

from sqlalchemy import Table, create_engine
from tables import factor_data, shopping_data

AMOUNTS = (
    *(300, 280, 290, 200, None, 130, 140, 160, 270, 180),
    *(120, 70, 60, 65, None, 110, 250, 260, 255, 200),
)
FACTORS = (
    (10, 12.0, 50, 2, 8, 5.0),
    (9, 11.5, 45, 1, 7, 4.5),
    (10, 12.0, 48, 2, 8, 5.0),
    (7, 10.0, 40, 1, 6, 3.0),
    (5, 9.0, 35, 0, 5, 2.0),
    (4, 8.5, 30, 0, 4, 1.5),
    (5, 9.0, 35, 1, 5, 2.0),
    (6, 10.0, 38, 1, 6, 3.0),
    (9, 11.5, 45, 2, 7, 4.0),
    (7, 10.5, 40, 1, 6, 3.5),
    (4, 8.0, 30, 0, 4, 1.0),
    (3, 7.5, 25, 0, 3, 0.5),
    (3, 7.0, 20, 0, 3, 0.5),
    (4, 8.0, 28, 0, 4, 1.0),
)
COLUMNS = [column.name for column in factor_data.columns if column.name != "date"]
SHOPPING_ROWS = [{"date": date(2025, 4, day), "amount": amount} for day, amount in enumerate(AMOUNTS, start=1)]
FACTOR_ROWS = [
    {"date": date(2025, 4, day), **dict(zip(COLUMNS, values, strict=True))}
    for day, values in enumerate(FACTORS, start=1)
]


def fill(url: str, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make the table anew in the database at `url`, with these rows."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            table.drop(connection, checkfirst=True)
            table.create(connection)
            connection.execute(table.insert(), list(rows))
    finally:
        engine.dispose()


def seed(shopping_url: str, factor_url: str) -> None:
    """Fill both databases; they may be one."""
    fill(shopping_url, shopping_data, SHOPPING_ROWS)
    fill(factor_url, factor_data, FACTOR_ROWS)


def main() -> None:
    """Fill the databases that the command line names."""
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    seed(sys.argv[1], sys.argv[2])
    print(f"shopping_data: {len(SHOPPING_ROWS)} rows, factor_data: {len(FACTOR_ROWS)} rows")


if __name__ == "__main__":
    main()
