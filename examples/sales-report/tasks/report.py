"""Write the report: one page of HTML with the figures, a chart and a table, that needs nothing else to be read."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from datetime import date
from html import escape
from pathlib import Path

from chart import Bar, bar_chart
from handover import Row, read_rows, setting, write_outputs, write_text

REPORT = "report.html"
FACTORS = {
    "staff_count": "Staff",
    "operating_hours": "Opening hours",
    "product_variety": "Products",
    "event_frequency": "Events",
    "store_cleanliness": "Cleanliness",
    "training_hours": "Training hours",
}


def figures(rows: Sequence[Row]) -> dict[str, float | int | str]:
    """The sums of the report: what its head shows, the mail says and the task puts out."""
    best = max(rows, key=lambda row: row["amount"])
    total = math.fsum(row["amount"] for row in rows)
    return {
        "days": len(rows),
        "total": round(total, 2),
        "mean": round(total / len(rows), 2),
        "best": round(best["amount"], 2),
        "bestDay": best["date"],
        "estimated": sum(bool(row["estimated"]) for row in rows),
    }


def page(rows: Sequence[Row], *, title: str, run: str) -> str:
    """The report of the rows as one page of HTML."""
    sums = figures(rows)
    first, last = rows[0]["date"], rows[-1]["date"]
    about = f"{first} to {last}, made by the run {run}"
    style = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
<p class="about">{escape(about)}</p>
{_head(sums)}
<section class="card">
<h2>Sales by day</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Chart of sales by day">
{_chart(rows, sums)}
</div>
<p class="note">Hatched bars are estimates: the amount of that day was missing and is the mean of all known amounts.</p>
</section>
<section class="card">
<div class="scroll" tabindex="0" role="region" aria-label="Table of sales and factors by day">
{_table(rows, sums)}
</div>
<p class="note">est. = estimated.</p>
</section>
</main>
</body>
</html>
"""


def _head(sums: dict[str, float | int | str]) -> str:
    shown = {
        "Total": f"{sums['total']:,.2f}",
        "Mean of a day": f"{sums['mean']:,.2f}",
        "Best day": f"{sums['best']:,.2f} <small>on {escape(str(sums['bestDay']))}</small>",
        "Days": f"{sums['days']} <small>{sums['estimated']} estimated</small>",
    }
    return '<dl class="figures">' + "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in shown.items()) + "</dl>"


def _chart(rows: Sequence[Row], sums: dict[str, float | int | str]) -> str:
    bars = [Bar(date.fromisoformat(row["date"]), row["amount"], row["estimated"]) for row in rows]
    lowest = min(rows, key=lambda row: row["amount"])
    return bar_chart(
        bars,
        mean=float(sums["mean"]),
        title="Sales by day",
        description=(
            f"Bars of the sales of {sums['days']} days, from {rows[0]['date']} to {rows[-1]['date']}. "
            f"The highest is {sums['best']:.2f} on {sums['bestDay']}, the lowest {lowest['amount']:.2f} "
            f"on {lowest['date']}, the mean {sums['mean']:.2f}. The table below has every number."
        ),
    )


def _table(rows: Sequence[Row], sums: dict[str, float | int | str]) -> str:
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Date", "Amount", *FACTORS.values()))
    blank = "<td></td>" * len(FACTORS)
    return "\n".join(
        [
            "<table>",
            "<caption>Sales and factors by day</caption>",
            f"<thead><tr>{heads}</tr></thead>",
            "<tbody>",
            *(_table_row(row) for row in rows),
            "</tbody>",
            f'<tfoot><tr><th scope="row">Total</th><td>{sums["total"]:,.2f}</td>{blank}</tr></tfoot>',
            "</table>",
        ]
    )


def _table_row(row: Row) -> str:
    mark = '<abbr title="estimated">est.</abbr> ' if row["estimated"] else ""
    kind = ' class="guess"' if row["estimated"] else ""
    factors = "".join(f"<td>{row[name]}</td>" for name in FACTORS)
    return f'<tr><th scope="row">{escape(row["date"])}</th><td{kind}>{mark}{row["amount"]:,.2f}</td>{factors}</tr>'


def main() -> None:
    """Write the report to the workspace."""
    rows = read_rows("joined")
    path = write_text(REPORT, page(rows, title=setting("TITLE"), run=os.environ.get("WINDLASS_RUN", "by hand")))
    write_outputs({**figures(rows), "file": path.name})
    print(f"{path}: {path.stat().st_size} bytes, {len(rows)} days")


if __name__ == "__main__":
    main()
