"""A development cluster that goes through what the dashboards show, scraped as Prometheus would."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from support.clusters import WINDLASS, Cluster

API = "windlass.dev/v1alpha1"


def _workflow(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": API, "kind": "Workflow", "metadata": {"name": name}, "spec": spec}


SALES = _workflow(
    "sales",
    params={"fail": {"type": "string", "enum": ["yes", "no"], "default": "no"}},
    concurrency={"maxActiveTasks": 1},
    tasks=[
        {"name": "extract", "script": "sleep 3"},
        {"name": "load", "script": "sleep 3"},
        {
            "name": "report",
            "env": [{"name": "FAIL", "value": "{{ params.fail }}"}],
            "script": '[ "$FAIL" = no ] && [ "$WINDLASS_ATTEMPT" = 2 ]',
            "retry": {"limit": 1, "delay": "0s"},
        },
    ],
)
LONG = _workflow("long", tasks=[{"name": "sleep", "script": "sleep 300"}])
NOWHERE = _workflow("nowhere", tasks=[{"name": "a", "script": "true", "nodeSelector": {"disk": "none"}}])
CROWDED = _workflow("crowded", tasks=[{"name": name, "script": "sleep 1"} for name in ("a", "b")])
QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "one"}, "spec": {"hard": {"pods": "1"}}}


ENDS = ("Succeeded", "Failed", "Cancelled", "Cancelled", "Refused", "Succeeded")
MIDDLE = ("windlass_slots{", 'windlass_pods{phase="Unscheduled"}', 'windlass_active_runs{phase="Running"}')
"""What is to be seen while the runs go on."""
WITHIN = 120.0
T = TypeVar("T")


class Scenario:
    """Runs that succeed, fail, are retried, cancelled, refused, wait for slots, for quota and for a node."""

    def __init__(self, cluster: Cluster, metrics: str) -> None:
        self._cluster = cluster
        self._tight = replace(cluster, namespace="tight")
        self._metrics = metrics

    def scrape(self) -> str:
        with urllib.request.urlopen(self._metrics, timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def play(self, number: int) -> str:
        """Let everything happen once; what is scraped in the middle of it."""
        ok, bad, long, nowhere, odd, own = (f"{name}-{number}" for name in ("ok", "bad", "long", "no", "odd", "own"))
        self._cluster.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tight"}},
            *(SALES, LONG, NOWHERE),
            _run(ok, "sales"),
            _run(bad, "sales", {"fail": "yes"}),
            _run(long, "long"),
            _run(nowhere, "nowhere"),
            _run(odd, "sales", {"fail": "perhaps"}),
        )
        self._cluster.start(own, {"tasks": [{"name": "a", "script": "true"}]})
        crowded = f"crowded-{number}"
        self._tight.apply(QUOTA, CROWDED, _run(crowded, "crowded"))
        middle = self._until(lambda: self.scrape(), lambda text: all(line in text for line in MIDDLE))
        for run in (long, nowhere):
            assert self._cluster.windlass("cancel", run).code == 0
        ends = dict(zip((ok, bad, long, nowhere, odd, own), ENDS, strict=True))
        self._until(lambda: _phases(self._cluster), lambda phases: ends.items() <= phases.items())
        self._until(lambda: _phases(self._tight), lambda phases: phases[crowded] == "Succeeded")
        return middle

    def _until(self, look: Callable[[], T], wished: Callable[[T], bool]) -> T:
        end = time.monotonic() + WITHIN
        while not wished(seen := look()):
            assert time.monotonic() < end, seen
            time.sleep(0.3)
        return seen


def _phases(cluster: Cluster) -> dict[str, str]:
    said = cluster.windlass("list", "-o", "json")
    assert said.code == 0, said.all
    return {run["metadata"]["name"]: (run.get("status") or {}).get("phase") for run in json.loads(said.out)["items"]}


def _run(name: str, workflow: str, params: dict[str, str] | None = None) -> dict[str, Any]:
    spec = {"workflow": workflow, **({"params": params} if params else {})}
    return {"apiVersion": API, "kind": "WorkflowRun", "metadata": {"name": name}, "spec": spec}


@pytest.fixture(scope="session")
def scrapes() -> Iterator[Sequence[str]]:
    """After everything has happened once, in the middle of the second time, and after it."""
    with tempfile.TemporaryDirectory(prefix="windlass-") as directory:
        started = subprocess.run(
            [str(WINDLASS), "dev", "--detach", "--state", directory], capture_output=True, text=True, check=False
        )
        assert started.returncode == 0, started.stderr
        try:
            about = json.loads((Path(directory) / "dev.json").read_text())
            scenario = Scenario(Cluster(Path(started.stdout.strip())), about["metrics"])
            scenario.play(1)
            first = scenario.scrape()
            middle = scenario.play(2)
            yield first, middle, scenario.scrape()
        finally:
            subprocess.run([str(WINDLASS), "dev", "stop", "--state", directory], check=False, capture_output=True)
