"""A bar chart of amounts by day as SVG, to be put into a page of HTML that styles it (see style.css)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

WIDTH, HEIGHT = 960, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 72, 28, 44
MOST_LABELS = 16
LOOKS = {
    "grid": 'stroke="#dfe3e9"',
    "axis": 'stroke="#55606f"',
    "tick": 'fill="#55606f" font-size="13"',
    "bar": 'fill="#1f6feb"',
    "bar estimated": 'fill="url(#hatch)" stroke="#1f6feb" stroke-dasharray="4 3"',
    "value": 'fill="#16202e" font-size="13" font-weight="600"',
    "mean": 'stroke="#b3440e" stroke-width="2" stroke-dasharray="8 5"',
    "mean-label": 'fill="#b3440e" font-size="13" font-weight="600"',
    "hatch-ground": 'fill="#cfe1fd"',
    "hatch-line": 'fill="#1f6feb"',
}
"""How the chart looks where the page's style is dropped, as some mail programs do."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Bar:
    """One day of the chart."""

    day: date
    amount: float
    estimated: bool


@dataclass(frozen=True)
class Scale:
    """Where an amount stands on the vertical axis, and the round amounts that are marked on it."""

    ticks: tuple[float, ...]

    def y(self, amount: float) -> float:
        """The vertical place of an amount."""
        low, high = self.ticks[0], self.ticks[-1]
        return round(TOP + (high - amount) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)


def scale_for(amounts: Sequence[float]) -> Scale:
    """A scale with about five round steps that holds all the amounts and zero."""
    low, high = min(0.0, *amounts), max(0.0, *amounts)
    rough = (high - low) / 5 or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return Scale(tuple(number * step for number in range(first, max(last, first + 1) + 1)))


def short(day: date) -> str:
    """A day as the axis shows it: `Apr 1`, in English whatever the machine's locale."""
    return f"{MONTHS[day.month - 1]} {day.day}"


def bar_chart(bars: Sequence[Bar], *, mean: float, title: str, description: str) -> str:
    """The chart; each bar is named for a pointer that rests on it, and hatched when its amount is an estimate."""
    scale = scale_for([*(bar.amount for bar in bars), mean])
    drawn = [*_grid(scale), *_bars(bars, scale), *_mean(mean, scale), *_labels(bars, scale)]
    return "\n".join(
        [
            f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="chart-title chart-text">',
            f'<title id="chart-title">{escape(title)}</title>',
            f'<desc id="chart-text">{escape(description)}</desc>',
            '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate(45)"><rect {_look("hatch-ground")} width="7" height="7"/>'
            f'<rect {_look("hatch-line")} width="3" height="7"/></pattern></defs>',
            *drawn,
            "</svg>",
        ]
    )


def _grid(scale: Scale) -> list[str]:
    lines = []
    for tick in scale.ticks:
        y = scale.y(tick)
        kind = "axis" if tick == 0 else "grid"
        lines.append(f'<line {_look(kind)} x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        lines.append(f'<text {_look("tick")} x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{tick:,.10g}</text>')
    return lines


def _bars(bars: Sequence[Bar], scale: Scale) -> list[str]:
    width = min(_slot(bars) * 0.68, 56)
    zero = scale.y(0)
    lines = []
    for number, bar in enumerate(bars):
        end = scale.y(bar.amount)
        note = " (estimated)" if bar.estimated else ""
        lines.append(
            f'<rect {_look("bar estimated" if bar.estimated else "bar")} x="{_middle(bars, number) - width / 2:.1f}" '
            f'y="{min(zero, end)}" width="{width:.1f}" height="{abs(zero - end):.1f}" rx="3">'
            f"<title>{short(bar.day)}: {bar.amount:,.2f}{note}</title></rect>"
        )
    return lines


def _labels(bars: Sequence[Bar], scale: Scale) -> list[str]:
    """The days below the bars, as many as have room, and the amounts above them, where all of them have room."""
    every = math.ceil(len(bars) / MOST_LABELS)
    lines = []
    for number, bar in enumerate(bars):
        middle = _middle(bars, number)
        if number % every == 0:
            below = HEIGHT - BOTTOM + 22
            lines.append(
                f'<text {_look("tick")} x="{middle:.1f}" y="{below}" text-anchor="middle">{short(bar.day)}</text>'
            )
        if every == 1:
            above = min(scale.y(0), scale.y(bar.amount)) - 6
            lines.append(
                f'<text {_look("value")} x="{middle:.1f}" y="{above:.1f}" text-anchor="middle">{bar.amount:,.0f}</text>'
            )
    return lines


def _mean(mean: float, scale: Scale) -> list[str]:
    y, end = scale.y(mean), WIDTH - RIGHT
    return [
        f'<line {_look("mean")} x1="{LEFT}" x2="{end}" y1="{y}" y2="{y}"/>',
        f'<text {_look("mean-label")} x="{end + 8}" y="{y - 2:.1f}">mean</text>',
        f'<text {_look("mean-label")} x="{end + 8}" y="{y + 14:.1f}">{mean:,.2f}</text>',
    ]


def _look(kind: str) -> str:
    return f'class="{kind}" {LOOKS[kind]}'


def _slot(bars: Sequence[Bar]) -> float:
    return (WIDTH - LEFT - RIGHT) / len(bars)


def _middle(bars: Sequence[Bar], number: int) -> float:
    return LEFT + _slot(bars) * (number + 0.5)
