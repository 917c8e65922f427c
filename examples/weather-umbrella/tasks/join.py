"""Join weather and sales by day: one row for each day that both know."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import date

from handover import read_csv, workspace_file, write_csv, write_outputs

COLUMNS = ("date", "rain", "temperature", "weekend", "umbrellas")


def join(weather: Iterable[Mapping[str, str]], sales: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """The days of both, by day, with what the model learns from."""
    sold = {row["date"]: row["umbrellas"] for row in sales}
    return [
        {
            "date": day["date"],
            "rain": day["rain"],
            "temperature": day["temperature"],
            "weekend": str(int(date.fromisoformat(day["date"]).weekday() >= 5)),
            "umbrellas": sold[day["date"]],
        }
        for day in weather
        if day["date"] in sold
    ]


def main() -> int:
    """Join what the two branches brought."""
    weather, sales = read_csv(workspace_file("weather.csv")), read_csv(workspace_file("sales.csv"))
    rows = join(weather, sales)
    if not rows:
        print(f"none of {len(weather)} days of weather is among {len(sales)} days of sales", file=sys.stderr)
        return 1
    write_csv(workspace_file("joined.csv"), COLUMNS, rows)
    write_outputs({"days": len(rows), "first": rows[0]["date"], "last": rows[-1]["date"]})
    print(f"{len(rows)} days, {rows[0]['date']} to {rows[-1]['date']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
