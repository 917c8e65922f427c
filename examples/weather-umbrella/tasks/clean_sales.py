"""Clean the sales: the umbrellas of all stores by day, without days on which a store's count is missing or absurd."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from handover import read_csv, workspace_file, write_csv, write_outputs

COLUMNS = ("date", "umbrellas")


def clean(rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """The sum of each day, by day; a row that came twice counts once."""
    counts: dict[tuple[str, str], str] = {(row["date"], row["store"]): row["umbrellas"] for row in rows}
    bad = {day for (day, _), count in counts.items() if not count.isdecimal()}
    sums: dict[str, int] = {}
    for (day, _), count in sorted(counts.items()):
        if day not in bad:
            sums[day] = sums.get(day, 0) + int(count)
    return [{"date": day, "umbrellas": str(total)} for day, total in sums.items()]


def main() -> None:
    """Clean what `fetch sales` brought."""
    raw = read_csv(workspace_file("sales-raw.csv"))
    days = clean(raw)
    write_csv(workspace_file("sales.csv"), COLUMNS, days)
    write_outputs({"days": len(days), "umbrellas": sum(int(day["umbrellas"]) for day in days)})
    print(f"{len(days)} days of sales out of {len(raw)} rows")


if __name__ == "__main__":
    main()
