"""What the chart makes for Prometheus and Grafana is what lies in its rules/ and dashboards/."""

from __future__ import annotations

import json

import pytest

from support.chart import of, render
from support.monitoring import DASHBOARDS, alerts, dashboard

ON = {"rules": {"enabled": True}, "dashboards": {"enabled": True}, "serviceMonitor": {"enabled": True}}


@pytest.mark.parametrize("prefix", ["", "https://git.example.com/windlass/blob/main/"])
def test_rules(prefix: str) -> None:
    manifests = render({"metrics": {**ON, "rules": {"enabled": True, "runbooks": prefix}}})
    (made,) = of(manifests, "PrometheusRule")
    rules = {rule["alert"]: rule for group in made["spec"]["groups"] for rule in group["rules"]}
    assert rules == {
        name: {
            **rule,
            "annotations": {**rule["annotations"], "runbook_url": prefix + rule["annotations"]["runbook_url"]},
        }
        for name, rule in alerts().items()
    }


def test_dashboards() -> None:
    made = of(render({"metrics": ON}), "ConfigMap")
    shown = {file: json.loads(text) for one in made for file, text in one["data"].items() if file.endswith(".json")}
    assert shown == {f"{name}.json": dashboard(name) for name in DASHBOARDS}


def test_a_scrape_keeps_the_namespace_of_runs() -> None:
    (made,) = of(render({"metrics": ON}), "ServiceMonitor")
    assert [endpoint["honorLabels"] for endpoint in made["spec"]["endpoints"]] == [True]


LEVELS = ["debug", "info,windlass.runs=debug", "warning,windlass.engine=debug,windlass.kube.lease=error"]


@pytest.mark.parametrize("level", LEVELS)
def test_log_levels(level: str) -> None:
    (deployment,) = of(render({"log": {"level": level}}), "Deployment")
    assert f"--log-level={level}" in deployment["spec"]["template"]["spec"]["containers"][0]["args"]
