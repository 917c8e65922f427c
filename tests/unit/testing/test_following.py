"""Workflows that follow others in a simulation: which events lead to which runs, and what these know."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.testing import Simulation, SimulationError, simulate, timeline

START = "2025-04-01T00:00:00Z"
END = "2025-04-01T03:00:00Z"


def workflow(name: str, schedule: dict[str, Any] | None = None, **task: Any) -> dict[str, Any]:
    return {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {
            **({"schedule": schedule} if schedule is not None else {}),
            "tasks": [{"name": name, "script": "true", **task}],
        },
    }


def after(*sources: dict[str, Any], how: str = "all", **schedule: Any) -> dict[str, Any]:
    env = [{"name": "FROM", "value": "{{ triggers | map(attribute='run') | join(' ') }}"}]
    return workflow("report", {"after": {how: list(sources)}, **schedule}, env=env)


def hourly(name: str, minute: int, **task: Any) -> dict[str, Any]:
    return workflow(name, {"cron": f"{minute} * * * *"}, **task)


def played(definition: dict[str, Any], **arguments: Any) -> Simulation:
    return simulate(definition, start=START, end=END, **arguments)


def followed(found: Simulation) -> list[tuple[str, str]]:
    """When each run was made, and which runs it follows."""
    return [(f"{run.created_at:%H:%M:%S}", run.launches("report")[0].environment["FROM"]) for run in found.runs]


SALES = hourly("sales", 0, produces=["sales/daily"])
STOCK = hourly("stock", 30)


def test_all_of_an_asset_and_a_workflow() -> None:
    sources = [played(SALES), played(STOCK, fail="stock@2025-04-01T01:30:00Z")]
    found = simulate(after({"asset": "sales/daily"}, {"workflow": "stock"}), after=sources, end=END)
    assert followed(found) == [
        ("01:01:01", "sales-20250401t0100 stock-20250401t0030"),
        ("02:31:01", "sales-20250401t0200 stock-20250401t0230"),
    ]


def test_any_makes_a_run_of_each() -> None:
    found = played(after({"workflow": "sales"}, {"workflow": "stock"}, how="any"), after=[played(SALES), played(STOCK)])
    assert [source for _, source in followed(found)] == [
        "stock-20250401t0030",
        "sales-20250401t0100",
        "stock-20250401t0130",
        "sales-20250401t0200",
        "stock-20250401t0230",
    ]


def test_what_a_run_knows_of_what_it_follows() -> None:
    sales = played(SALES, outputs={"sales": {"rows": 42}})
    definition = after({"asset": "sales/daily"})
    definition["spec"]["tasks"][0]["command"] = ["{{ triggers[0].fields.rows }}", "{{ triggers[0].slot }}"]
    del definition["spec"]["tasks"][0]["script"]
    definition["spec"]["tasks"][0]["image"] = "busybox"
    run = simulate(definition, after=[sales]).runs[0]
    assert (run.trigger, run.launches("report")[0].command) == ("Workflow", ("42", "2025-04-01T01:00:00Z"))
    assert run.logical_date == sales.runs[0].logical_date


def test_a_follower_is_followed() -> None:
    report = played(after({"workflow": "sales"}), after=[played(SALES)])
    last = played(workflow("last", {"after": {"any": [{"workflow": "report"}]}}), after=[report])
    assert [f"{run.created_at:%H:%M:%S}" for run in last.runs] == ["01:02:02", "02:02:02"]


def test_what_never_comes_is_said() -> None:
    found = played(after({"asset": "sales/daily"}), after=[played(SALES, fail="sales")])
    assert timeline(found).splitlines()[0].endswith(": it waits for asset sales/daily")


def test_without_the_others_one_run_is_made_as_by_hand() -> None:
    found = simulate(workflow("report", {"after": {"any": [{"asset": "x"}]}}))
    assert [(run.name, run.trigger) for run in found.runs] == [("report-1", "Manual")]


def test_who_follows_nothing_is_told() -> None:
    with pytest.raises(SimulationError, match="sales follows nothing"):
        simulate(SALES, after=[played(STOCK)])
