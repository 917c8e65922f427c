"""Fill missing amounts with the mean of all known ones: before the join, so that every known day counts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from handover import Row, give_up, read_rows, write_outputs, write_rows


def mean_of_known(rows: Sequence[Row]) -> float:
    """The mean of the amounts that are known. ValueError when none is."""
    known = [row["amount"] for row in rows if row["amount"] is not None]
    if not known:
        raise ValueError("no amount is known, so there is no mean to fill the missing ones with")
    return math.fsum(known) / len(known)


def fill_missing(rows: Sequence[Row], amount: float) -> list[Row]:
    """The rows with `amount` where none is known; `estimated` says of each row whether it was filled."""
    return [
        {**row, "amount": amount, "estimated": True} if row["amount"] is None else {**row, "estimated": False}
        for row in rows
    ]


def main() -> None:
    """Fill the shopping data."""
    rows = read_rows("shopping_data")
    try:
        mean = mean_of_known(rows)
    except ValueError as error:
        give_up(f"shopping_data: {error}", code=2)
    filled = fill_missing(rows, mean)
    estimated = sum(row["estimated"] for row in filled)
    write_rows("filled", filled)
    write_outputs({"mean": mean, "known": len(rows) - estimated, "estimated": estimated})
    print(f"filled {estimated} of {len(rows)} amounts with the mean of the others, {mean:.2f}")


if __name__ == "__main__":
    main()
