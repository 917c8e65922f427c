"""The dashboards are fresh, whole, and ask for nothing that is not counted. What Prometheus says of their queries is in
tests/monitoring."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

from support.monitoring import DASHBOARDS, ROOT, Target, dashboard, panels, targets, unknown_words


def test_they_are_what_their_source_says() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "helm" / "dashboards"), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("target", targets(), ids=str)
def test_a_query_names_what_is_counted(target: Target) -> None:
    assert unknown_words(target.expr) == []


WRONG = {
    "a name": ("sum(windlass_run_total)", ["windlass_run_total"]),
    "a counter without its ending": ("rate(windlass_runs[5m])", ["windlass_runs"]),
    "a histogram without bucket": ("windlass_queue_wait_seconds", ["windlass_queue_wait_seconds"]),
    "a label": ('sum(windlass_runs_total{run="a"})', ["windlass_runs_total.run"]),
    "a group": ("sum by (outcome, run) (windlass_runs_total)", ["run"]),
}


@pytest.mark.parametrize(("expr", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_not_counted_is_noticed(expr: str, words: list[str]) -> None:
    assert unknown_words(expr) == words


@pytest.mark.parametrize("name", DASHBOARDS)
def test_each_panel_says_what_it_shows(name: str) -> None:
    for panel in panels(name):
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"]), panel["title"]
        legends = {target["legendFormat"] for target in panel["targets"]}
        assert len(panel["targets"]) == len(legends), f"{panel['title']}: series of several queries can't be told apart"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_don_t_overlap(name: str) -> None:
    def covers(panel: dict) -> set[tuple[int, int]]:
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        assert columns.stop <= 24, panel["title"]
        return set(itertools.product(columns, range(place["y"], place["y"] + place["h"])))

    shown = dashboard(name)["panels"]
    assert len({panel["id"] for panel in shown}) == len(shown)
    for one, other in itertools.combinations(shown, 2):
        assert not covers(one) & covers(other), (one["title"], other["title"])


@pytest.mark.parametrize("name", DASHBOARDS)
def test_variables_and_the_way_to_the_other(name: str) -> None:
    whole = dashboard(name)
    assert [variable["name"] for variable in whole["templating"]["list"]] == ["datasource", "namespace", "workflow"]
    assert [(link["type"], link["tags"], link["includeVars"]) for link in whole["links"]] == [
        ("dashboards", whole["tags"], True)
    ]


def test_the_table_of_workflows_leads_to_the_workflow() -> None:
    (table,) = (panel for panel in panels("windlass-overview") if panel["type"] == "table")
    (link,) = (
        item
        for override in table["fieldConfig"]["overrides"]
        for item in override["properties"]
        if item["id"] == "links"
    )
    url = link["value"][0]["url"]
    assert url.startswith(f"/d/{dashboard('workflow')['uid']}?")
    assert "var-namespace=${__data.fields.namespace}&var-workflow=${__data.fields.workflow}" in url
