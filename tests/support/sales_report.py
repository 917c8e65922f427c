"""What a run of examples/sales-report over its own rows must have mailed, whatever the databases were."""

from __future__ import annotations

import re
from email.message import EmailMessage
from html.parser import HTMLParser
from xml.etree import ElementTree

# Day by day: the amount (the fifth is the mean of all 18 known ones, 3340 / 18), then the factors.
TABLE = """
2025-04-01 300.00 10 12.0 50 2 8 5.0
2025-04-02 280.00 9 11.5 45 1 7 4.5
2025-04-03 290.00 10 12.0 48 2 8 5.0
2025-04-04 200.00 7 10.0 40 1 6 3.0
2025-04-05 185.56 5 9.0 35 0 5 2.0
2025-04-06 130.00 4 8.5 30 0 4 1.5
2025-04-07 140.00 5 9.0 35 1 5 2.0
2025-04-08 160.00 6 10.0 38 1 6 3.0
2025-04-09 270.00 9 11.5 45 2 7 4.0
2025-04-10 180.00 7 10.5 40 1 6 3.5
2025-04-11 120.00 4 8.0 30 0 4 1.0
2025-04-12 70.00 3 7.5 25 0 3 0.5
2025-04-13 60.00 3 7.0 20 0 3 0.5
2025-04-14 65.00 4 8.0 28 0 4 1.0
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
MAIL_FROM, MAIL_TO = "reports@example.com", "Sales <sales@example.com>, boss@example.com"


def secrets(shopping: str, factor: str, smtp: str) -> dict[str, str]:
    """The keys of the example's Secret."""
    return {
        "shopping-url": shopping,
        "factor-url": factor,
        "smtp-url": smtp,
        "mail-from": MAIL_FROM,
        "mail-to": MAIL_TO,
    }


class Cells(HTMLParser):
    """The text of each cell of a page's table body, row by row, without the marks of estimates."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._body = self._cell = self._mark = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._body = self._body or tag == "tbody"
        self._mark = tag == "abbr"
        if self._body and tag == "tr":
            self.rows.append([])
        if self._body and tag in ("td", "th"):
            self._cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._body = self._body and tag != "tbody"
        self._cell = self._cell and tag not in ("td", "th")
        self._mark = self._mark and tag != "abbr"

    def handle_data(self, data: str) -> None:
        if self._cell and not self._mark:
            self.rows[-1][-1] = (self.rows[-1][-1] + data).strip()


def check_report(page: str, *, title: str, run: str) -> None:
    """Hold a report against what it must say."""
    cells = Cells()
    cells.feed(page)
    assert cells.rows == ROWS
    assert f"<h1>{title}</h1>" in page
    assert f"2025-04-01 to 2025-04-14, made by the run {run}" in page
    assert "<dd>2,450.56</dd>" in page
    assert not re.search(r"""(src|href)\s*=|url\((?!#)""", page), "the page needs nothing from elsewhere"
    check_chart(page)


def check_chart(page: str) -> None:
    """Hold the chart of a report against what it must show, and how it says it to those who can't see it."""
    (svg,) = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    root = ElementTree.fromstring(svg)
    named = {element.get("id"): element.text for element in root.iter() if element.get("id")}
    assert root.get("role") == "img"
    assert all(named[name] for name in str(root.get("aria-labelledby")).split())
    bars = [element for element in root.iter("rect") if "bar" in str(element.get("class")).split()]
    assert [bar.findtext("title") for bar in bars] == [
        f"Apr {int(day[-2:])}: {amount}{' (estimated)' if day == '2025-04-05' else ''}" for day, amount, *_ in ROWS
    ]
    # 300 is as high as the plot, so each bar is amount/300 of it.
    heights = [float(str(bar.get("height"))) for bar in bars]
    for height, (_, amount, *_) in zip(heights, ROWS, strict=True):
        assert abs(height / heights[0] - float(amount) / 300) < 0.001


def check_mail(kept: tuple[list[str], EmailMessage], *, title: str, run: str) -> None:
    """Hold a mail against what it must be: from and to whom, its text, and the report attached."""
    recipients, mail = kept
    assert recipients == ["sales@example.com", "boss@example.com"]
    assert (mail["From"], mail["To"]) == (MAIL_FROM, MAIL_TO)
    assert mail["Subject"] == f"{title} 2025-04-01 to 2025-04-14"
    assert mail["Date"] is not None
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Total 2,450.56 in 14 days, 175.04 a day." in body.get_content()
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("sales-report.html", "text/html")
    page = attached.get_content()
    check_report(page, title=title, run=run)
