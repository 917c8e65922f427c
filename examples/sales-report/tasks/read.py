"""Read one table of the database at $DATABASE_URL into the workspace: `python read.py shopping_data`."""

from __future__ import annotations

import sys
from datetime import date
from typing import Any

from handover import Row, give_up, setting, write_outputs, write_rows
from sqlalchemy import Numeric, Table, create_engine, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from tables import metadata


def read_table(url: str, table: Table) -> list[Row]:
    """All rows of a table by date, the same from every database: dates as ISO text, decimals as floats."""
    engine = create_engine(url)
    decimals = {column.name for column in table.columns if isinstance(column.type, Numeric)}
    try:
        with engine.connect() as connection:
            found = connection.execute(select(table).order_by(table.c.date)).mappings().all()
    finally:
        engine.dispose()
    return [{name: plain(value, decimal=name in decimals) for name, value in row.items()} for row in found]


def plain(value: Any, *, decimal: bool) -> Any:
    """A value of a column as JSON has it. SQLite gives whole decimals as integers, MySQL never does."""
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if decimal and value is not None else value


def main() -> None:
    """Read the table that the command line names."""
    if len(sys.argv) != 2 or sys.argv[1] not in metadata.tables:
        give_up(f"usage: read.py {'|'.join(sorted(metadata.tables))}", code=2)
    name = sys.argv[1]
    url = setting("DATABASE_URL")
    try:
        rows = read_table(url, metadata.tables[name])
    except (ArgumentError, NoSuchModuleError) as error:
        give_up(f"DATABASE_URL is no URL that SQLAlchemy can use: {error}", code=2)
    except SQLAlchemyError as error:
        # The text of the driver's own error: SQLAlchemy's repeats the whole statement.
        give_up(f"can't read {name}: {getattr(error, 'orig', None) or error}")
    write_rows(name, rows)
    write_outputs({"rows": len(rows)})
    print(f"{len(rows)} rows of {name}")


if __name__ == "__main__":
    main()
