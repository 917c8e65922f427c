"""Panels that both dashboards have: how runs ended, of the workflows that a selector matches."""

from __future__ import annotations

from panels import Panel, Query


def ended(of: str, outcome: str = "") -> str:
    """How many runs ended so in the time range shown."""
    more = f', outcome=~"{outcome}"' if outcome else ""
    return f"increase(windlass_runs_total{{{of}{more}}}[$__range])"


def run_counts(of: str) -> tuple[Panel, ...]:
    """The success rate, and what it is made of."""
    return (
        Panel(
            "Success rate",
            "Share of the runs that succeeded among those that succeeded or failed, in the time range shown.",
            "percentunit",
            (Query(f"sum({ended(of, 'Succeeded')}) / sum({ended(of, 'Succeeded|Failed')})"),),
            "stat",
            width=4,
            height=4,
            good_above=0.95,
        ),
        Panel(
            "Runs ended",
            "Runs that ended in the time range shown, whatever their outcome.",
            "short",
            (Query(f"sum({ended(of)})"),),
            "stat",
            width=4,
            height=4,
        ),
        Panel(
            "Runs failed",
            "Runs that failed in the time range shown.",
            "short",
            (Query(f"sum({ended(of, 'Failed')})"),),
            "stat",
            width=4,
            height=4,
            bad_above=1,
        ),
    )


def runs_by_outcome(of: str) -> Panel:
    """How runs ended, over time."""
    return Panel(
        "Runs by outcome",
        "How many runs ended, and how.",
        "short",
        (Query(f"sum by (outcome) (increase(windlass_runs_total{{{of}}}[$__rate_interval]))", "{{outcome}}"),),
        "bars",
        width=12,
    )


def failures_by_class(of: str) -> Panel:
    """Whose fault failures were, over time."""
    return Panel(
        "Failed attempts by class",
        "Whose fault it was: App, OOM and Timeout are the task's, Infra the cluster's, Start an image or a setting, "
        "Launch a refusal by the API server. docs/failures.md has them all.",
        "short",
        (Query(f"sum by (class) (increase(windlass_workflow_failures_total{{{of}}}[$__rate_interval]))", "{{class}}"),),
        "bars",
    )
