"""Panels and dashboards as Grafana's JSON, with what all share. The queries are in `overview.py` and `workflow.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]
SOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}
TAG: Final = "windlass"
COLUMNS: Final = 24
OUTCOME_COLOURS: Final = {"Succeeded": "green", "Failed": "red", "Cancelled": "orange", "Refused": "purple"}


@dataclass(frozen=True)
class Query:
    """A query, with what its series are called or, in a table, the title and the unit of its column."""

    expr: str
    legend: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Panel:
    """A panel. `description` says what one sees and what to think of it."""

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    """timeseries, bars (stacked), stat, bargauge or table."""
    width: int = 8
    height: int = 8
    good_above: float | None = None
    """A stat is green from here on, and red below."""
    bad_above: float | None = None
    """A stat is red from here on."""
    link: Json | None = None
    """Where the cells of a table lead."""


@dataclass(frozen=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


def quantiles(histogram: str, labels: str = "", by: str = "") -> tuple[Query, ...]:
    """Median, 95 % and 99 % of a histogram."""
    groups = f"le, {by}" if by else "le"
    return tuple(
        Query(
            f"histogram_quantile({quantile}, sum by ({groups}) (rate({histogram}_bucket{labels}[$__rate_interval])))",
            f"{name} {{{{{by}}}}}" if by else name,
        )
        for quantile, name in ((0.5, "median"), (0.95, "95 %"), (0.99, "99 %"))
    )


def dashboard(uid: str, title: str, description: str, variables: Sequence[Json], rows: Sequence[Row]) -> Json:
    """A whole dashboard: its rows from top to bottom, the panels of each from left to right."""
    panels: list[Json] = []
    top = 0
    for row in rows:
        panels.append(_row(len(panels) + 1, row.title, top))
        top += 1
        left = height = 0
        for panel in row.panels:
            if left + panel.width > COLUMNS:
                top, left, height = top + height, 0, 0
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            panels.append(_panel(len(panels) + 1, panel, place))
            left, height = left + panel.width, max(height, panel.height)
        top += height
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": [TAG],
        "editable": True,
        "graphTooltip": 1,
        "links": [_LINKS],
        "panels": panels,
        "refresh": "30s",
        "schemaVersion": 39,
        "templating": {"list": [_DATA_SOURCE, *variables]},
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "version": 1,
    }


def variable(name: str, label: str, query: str, *, several: bool) -> Json:
    """A variable whose values Prometheus knows; `several` may be chosen at once, all of them to begin with."""
    every = {"text": "All", "value": "$__all"}
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": several,
        "includeAll": several,
        "allValue": ".*" if several else None,
        "current": every if several else {},
    }


_DATA_SOURCE: Final[Json] = {
    "name": "datasource",
    "label": "Data source",
    "type": "datasource",
    "query": "prometheus",
    "refresh": 1,
    "current": {},
}
_LINKS: Final[Json] = {
    "title": "Windlass",
    "type": "dashboards",
    "tags": [TAG],
    "asDropdown": False,
    "includeVars": True,
    "keepTime": True,
    "targetBlank": False,
}


def _row(number: int, title: str, top: int) -> Json:
    place = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _panel(number: int, panel: Panel, place: Json) -> Json:
    table, at_once = panel.kind == "table", panel.kind in ("table", "stat", "bargauge")
    shown: Json = {
        "id": number,
        "type": "timeseries" if panel.kind == "bars" else panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "editorMode": "code",
                "expr": query.expr,
                "legendFormat": query.legend or "__auto",
                "instant": at_once,
                "range": not at_once,
                **({"format": "table"} if table else {}),
            }
            for index, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides(panel)},
        "options": _options(panel),
    }
    if table:
        names = {f"Value #{chr(ord('A') + index)}": query.legend for index, query in enumerate(panel.queries)}
        shown["transformations"] = [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": names}},
        ]
    return shown


def _defaults(panel: Panel) -> Json:
    defaults: Json = {"unit": panel.unit, "min": 0, "noValue": "none"}
    if panel.good_above is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.good_above}]
    elif panel.bad_above is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": panel.bad_above}]
    else:
        steps = [{"color": "text", "value": None}]
    if panel.kind in ("stat", "bargauge"):
        defaults |= {"thresholds": {"mode": "absolute", "steps": steps}, "color": {"mode": "thresholds"}}
    elif panel.kind == "bars":
        defaults["custom"] = {"drawStyle": "bars", "fillOpacity": 80, "lineWidth": 0, "stacking": {"mode": "normal"}}
    elif panel.kind == "timeseries":
        # A line may bridge a gap that a rate without events has left.
        defaults["custom"] = {"drawStyle": "line", "fillOpacity": 10, "showPoints": "auto", "spanNulls": 600_000}
    return defaults


def _overrides(panel: Panel) -> list[Json]:
    if panel.kind == "table":
        found = [
            {"matcher": {"id": "byName", "options": query.legend}, "properties": [{"id": "unit", "value": query.unit}]}
            for query in panel.queries
        ]
        if panel.link is not None:
            link = {"id": "links", "value": [panel.link]}
            found.append({"matcher": {"id": "byName", "options": "workflow"}, "properties": [link]})
        return found
    return [
        {
            "matcher": {"id": "byName", "options": outcome},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for outcome, colour in OUTCOME_COLOURS.items()
        if any(query.legend == "{{outcome}}" for query in panel.queries)
    ]


def _options(panel: Panel) -> Json:
    last = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    match panel.kind:
        case "stat":
            return {**last, "colorMode": "value", "graphMode": "none", "textMode": "auto"}
        case "bargauge":
            return {**last, "orientation": "horizontal", "displayMode": "basic", "showUnfilled": False}
        case "table":
            return {"showHeader": True, "cellHeight": "sm"}
        case _:
            return {
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
