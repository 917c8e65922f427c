"""Join the filled amounts with the factors of the same day (an inner join on date)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from handover import Row, give_up, read_rows, write_outputs, write_rows


def inner_join(left: Sequence[Row], right: Sequence[Row], key: str) -> list[Row]:
    """Each pair of a left and a right row with the same key, in the order of `left`, as SQL's INNER JOIN."""
    by_key: defaultdict[object, list[Row]] = defaultdict(list)
    for row in right:
        by_key[row[key]].append(row)
    return [{**row, **other} for row in left for other in by_key[row[key]]]


def main() -> None:
    """Join what the two branches brought."""
    amounts, factors = read_rows("filled"), read_rows("factor_data")
    joined = inner_join(amounts, factors, "date")
    if not joined:
        give_up(f"none of {len(amounts)} days of sales is among the {len(factors)} days of factors", code=2)
    write_rows("joined", joined)
    write_outputs({"rows": len(joined), "first": joined[0]["date"], "last": joined[-1]["date"]})
    print(f"{len(joined)} days, {joined[0]['date']} to {joined[-1]['date']}")


if __name__ == "__main__":
    main()
