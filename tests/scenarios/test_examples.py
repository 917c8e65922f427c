"""The examples whole, on the development cluster: from their manifests to what their runs put out and mail.

They wait more than they work, so several are played at the same time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
import yaml

from support.clusters import WINDLASS, Cluster, ends, phases, task
from support.examples import EXAMPLES, Pod, load, run_all
from support.mailsink import mail_sink
from support.sales_report import check_mail, check_report, secrets
from support.side_by_side import chosen, side_by_side
from windlass.models.common import parse_time

WITHIN = 120.0
AT_ONCE = 4
ETL = Lock()
"""Held by who plays daily-sales-etl: each applies it with a repository of its own."""


@dataclass(frozen=True)
class Place:
    """Where an example is played."""

    cluster: Cluster
    visible: Path
    """A directory that the pods of the development cluster see."""
    own: Path
    """A directory for what is compared with what the pods did."""


Story = Callable[[Place], None]
STORIES: dict[str, Story] = {}


def story(played: Story) -> Story:
    """Have it played, under the name of the function."""
    STORIES[played.__name__] = played
    return played


def published(example: str, directory: Path) -> str:
    """The manifest of an example, with its code in a repository of this machine."""
    command = [sys.executable, str(EXAMPLES / "publish.py"), str(EXAMPLES / example), "--to", str(directory)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def finished(cluster: Cluster, manifest: str, name: str, *arguments: str) -> dict[str, Any]:
    """Apply the manifest and see a run of it through to its end; its status."""
    said = cluster.windlass("run", "-f", "-", "--name", name, "--watch", *arguments, stdin=manifest)
    assert said.code == 0, said.all
    return cluster.status(name)


@story
def daily_sales_etl(place: Place) -> None:
    with ETL:
        manifest = published("daily-sales-etl", place.visible)
        pod = Pod("daily-sales-etl", place.own)
        for name in ("etl-first", "etl-again"):
            expected = run_all(pod, params={"day": "2025-04-01"}, mounts={"/warehouse": str(place.own)})
            status = finished(place.cluster, manifest, name, "-p", "day=2025-04-01")
            assert ends(status) == {one: ("Succeeded", ended.outputs) for one, ended in expected.items()}
        # The warehouse outlived the first run.
        assert ends(status)["load"][1]["replaced"] == 6


@story
def hello(place: Place) -> None:
    manifest = (EXAMPLES / "hello" / "workflow.yaml").read_text(encoding="utf-8")
    status = finished(place.cluster, manifest, "hello-whole", "-p", "name=Ada")
    assert (status["phase"], status["progress"]) == ("Succeeded", "2/2")
    assert ends(status) == {
        "greet": ("Succeeded", {"greeting": "Hello, Ada!", "letters": 11}),
        "reply": ("Succeeded", None),
    }
    said = place.cluster.windlass("logs", "hello-whole", "reply")
    assert (said.code, said.out) == (0, 'I was told "Hello, Ada!": 11 characters.\n'), said.all


@story
def weather_umbrella(place: Place) -> None:
    manifest = published("weather-umbrella", place.visible)
    expected = run_all(
        Pod("weather-umbrella", place.own, run="umbrella-good"), mounts={"/models": str(place.own / "m")}
    )
    good = finished(place.cluster, manifest, "umbrella-good")
    assert ends(good) == {one: ("Succeeded", ended.outputs) for one, ended in expected.items()}
    strict = finished(place.cluster, manifest, "umbrella-strict", "-p", "min_r2=0.99")
    assert ends(strict)["deploy"] == ("Skipped", None)
    assert good["source"]["commit"] == strict["source"]["commit"]
    commit = ["git", "-C", str(place.visible / "weather-umbrella.git"), "rev-parse", "main"]
    assert good["source"]["commit"] == subprocess.run(commit, check=True, capture_output=True, text=True).stdout.strip()


@story
def sales_report(place: Place) -> None:
    shopping, factor = f"sqlite:///{place.visible}/shopping.db", f"sqlite:///{place.visible}/factor.db"
    load("sales-report", "seed").seed(shopping, factor)
    with mail_sink() as sink:
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "sales-report"},
            "stringData": secrets(shopping, factor, sink.url),
        }
        manifest = yaml.safe_dump(secret) + "---\n" + published("sales-report", place.visible)
        status = finished(place.cluster, manifest, "report-whole", "-p", "title=Sales")
    assert {phase for phase, _ in ends(status).values()} == {"Succeeded"}
    (kept,) = sink.mails
    check_mail(kept, title="Sales", run="report-whole")


@story
def demo(place: Place) -> None:
    with tempfile.TemporaryDirectory(prefix="demo-") as directory:
        state = Path(directory)
        command = [sys.executable, str(EXAMPLES / "sales-report" / "demo.py"), "--state", directory]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WITHIN)
        finally:
            subprocess.run([str(WINDLASS), "dev", "stop", "--state", directory], check=False, capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr
        paths = {line.partition(":")[0]: line.partition(":")[2].strip() for line in done.stdout.splitlines()}
        assert Path(paths["The report"]) == state / "report.html"
        assert Path(paths["The mail"]).suffix == ".eml"
        (run,) = {word for word in done.stdout.split() if word.startswith("sales-report-demo-")}
        check_report((state / "report.html").read_text(encoding="utf-8"), title="Sales of April 2025", run=run)


@story
def pools(place: Place) -> None:
    manifest = "---\n".join(
        (EXAMPLES / "pools" / file).read_text(encoding="utf-8") for file in ("pool.yaml", "workflow.yaml")
    )
    status = finished(place.cluster, manifest, "pools-whole")
    assert (status["phase"], status["progress"]) == ("Succeeded", "7/7")
    spans = {entry["name"]: entry["outputs"] for entry in status["tasks"] if entry["name"] != "report"}
    for name, span in spans.items():
        beside = [other for other, its in spans.items() if its["began"] <= span["began"] < its["ended"]]
        assert len(beside) <= (1 if "vacuum" in beside else 2), (name, beside)
    said = place.cluster.windlass("list", "pools")
    assert said.out.splitlines()[1].split()[:2] == ["warehouse", "2"], said.all


BRANCHES = {
    "good enough": ((), {"deploy": "Succeeded", "roll-back": "Skipped", "alert": "Skipped", "report": "Succeeded"}),
    "not good enough": (
        ("-p", "noise=3"),
        {"deploy": "Skipped", "roll-back": "Succeeded", "alert": "Succeeded", "report": "Succeeded"},
    ),
}


def ml_pipeline(place: Place, arguments: tuple[str, ...], expected: dict[str, str]) -> None:
    manifest = (EXAMPLES / "ml-pipeline" / "workflow.yaml").read_text(encoding="utf-8")
    status = finished(place.cluster, manifest, f"ml-{len(arguments)}", *arguments)
    assert status["phase"] == "Succeeded"
    assert {name: phase for name, phase in phases(status).items() if name in expected} == expected


for _how, (_arguments, _expected) in BRANCHES.items():
    STORIES[f"ml_pipeline: {_how}"] = partial(ml_pipeline, arguments=_arguments, expected=_expected)


@story
def fan_out(place: Place) -> None:
    manifest = (EXAMPLES / "fan-out" / "workflow.yaml").read_text(encoding="utf-8")
    status = finished(place.cluster, manifest, "fan-whole", "-p", "files=6")
    assert task(status, "count")["instances"]["succeeded"] == 6
    total = task(status, "total")["outputs"]
    spoilt = place.cluster.windlass(
        "run", "fan-out", "--name", "fan-spoilt", "-p", "files=6", "-p", "spoilt=5", "--watch"
    )
    assert spoilt.code == 1, spoilt.all
    counts = task(place.cluster.status("fan-spoilt"), "count")["instances"]
    assert {key: counts.get(key) for key in ("succeeded", "failed", "failedIndices")} == {
        "succeeded": 5,
        "failed": 1,
        "failedIndices": "5",
    }
    assert place.cluster.windlass("retry", "fan-spoilt", "count", "--index", "5").code == 0
    assert place.cluster.windlass("wait", "fan-spoilt").code == 0
    assert task(place.cluster.status("fan-spoilt"), "total")["outputs"] == total
    said = place.cluster.windlass("logs", "fan-spoilt", "count", "--index", "3")
    assert (said.code, said.out[:13]) == (0, "store-03.csv:"), said.all


@contextmanager
def emr_service(kubeconfig: Path, namespace: str = "default") -> Iterator[None]:
    """The other controller of the example emr-like, at work."""
    command = [sys.executable, str(EXAMPLES / "emr-like" / "service.py")]
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "NAMESPACE": namespace}
    subprocess.run([*command, "install"], check=True, env=environment)
    playing = subprocess.Popen(command, env=environment)
    try:
        yield
    finally:
        playing.terminate()
        playing.wait()


@story
def emr_like(place: Place) -> None:
    manifest = (EXAMPLES / "emr-like" / "workflow.yaml").read_text(encoding="utf-8")
    with emr_service(place.cluster.kubeconfig):
        status = finished(place.cluster, manifest, "emr-whole")
        good = ends(status)
        assert {name: phase for name, (phase, _) in good.items()} == dict.fromkeys(good, "Succeeded")
        assert good["cluster"][1]["id"].startswith("j-")
        said = place.cluster.windlass("run", "emr-like", "--name", "emr-bad", "-p", "day=1999-01-01", "--watch")
        assert said.code == 1, said.all
        assert phases(place.cluster.status("emr-bad")) == {
            "cluster": "Succeeded", "clean": "Failed", "load": "UpstreamFailed", "delete-cluster": "Succeeded",
        }  # fmt: skip
        (attempt,) = task(place.cluster.status("emr-bad"), "clean")["attempts"]
        assert (attempt["class"], attempt["reason"]) == ("App", "ResourceFailed")


@story
def daily_sales_etl_asks_again_in_five_minutes_for_an_export_that_is_late(place: Place) -> None:
    with ETL:
        manifest = published("daily-sales-etl", place.visible)
        said = place.cluster.windlass("run", "-f", "-", "--name", "etl-late", "-p", "day=2025-05-01", stdin=manifest)
        assert said.code == 0, said.all
        status = place.cluster.until("etl-late", lambda found: phases(found).get("extract") == "Retrying")
        extract = task(status, "extract")
        (attempt,) = extract["attempts"]
        assert (attempt["class"], attempt["exitCode"]) == ("App", 1)
        assert "no export of 2025-05-01 yet, only of these days: 2025-04-01, 2025-04-02" in attempt["message"]
        wait = parse_time(extract["retryAt"]) - parse_time(attempt["finishedAt"])
        assert timedelta(minutes=5) <= wait < timedelta(minutes=5, seconds=10)
        assert place.cluster.windlass("cancel", "etl-late").code == 0
        assert place.cluster.ended("etl-late")["phase"] == "Cancelled"


def awaited(cluster: Cluster, workflow: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The status of a Workflow, once it is as wished."""
    end = time.monotonic() + WITHIN
    while True:
        said = cluster.windlass("list", "workflows", "-o", "json")
        (found,) = [one for one in json.loads(said.out)["items"] if one["metadata"]["name"] == workflow]
        status: dict[str, Any] = found.get("status") or {}
        if condition(status):
            return status
        assert time.monotonic() < end, status
        time.sleep(0.2)


@story
def follow(place: Place) -> None:
    manifest = (EXAMPLES / "follow" / "workflow.yaml").read_text(encoding="utf-8")
    arguments = ("-f", "-", "--logical-date", "2025-04-01T00:00:00Z", "--name", "follow-whole-sales", "--watch")
    said = place.cluster.windlass("run", "follow-sales", *arguments, stdin=manifest)
    assert said.code == 0, said.all
    waits = "waits for follow-stock (Succeeded); has asset sales/daily of run follow-whole-sales"
    awaited(place.cluster, "follow-report", lambda found: found.get("waitingFor") == waits)
    said = place.cluster.windlass("run", "follow-stock", "--name", "follow-whole-stock", "--watch")
    assert said.code == 0, said.all
    known = awaited(place.cluster, "follow-report", lambda found: "lastSuccess" in found)
    name = known["lastSuccess"]["run"]
    assert name.startswith("follow-report-1-")
    said = place.cluster.windlass("logs", name, "report")
    expected = "2025-04-01; 42 rows from follow-whole-sales, stock from follow-whole-stock\n"
    assert (said.code, said.out) == (0, expected), said.all
    assert "follow-whole-stock" in place.cluster.windlass("status", name).out


@story
def daily_kst_makes_up_for_the_last_week(place: Place) -> None:
    manifest = (EXAMPLES / "daily-kst" / "workflow.yaml").read_text(encoding="utf-8")
    arguments = ("-f", "-", "--logical-date", "2025-04-01T15:00:00Z", "--name", "kst-by-hand", "--watch")
    said = place.cluster.windlass("run", *arguments, stdin=manifest)
    assert said.code == 0, said.all
    awaited(place.cluster, "daily-kst", lambda found: found.get("reason") == "Scheduled")
    listed = place.cluster.windlass(
        "list", "runs", "--workflow", "daily-kst", "-l", "windlass.dev/trigger=schedule", "-o", "name"
    )
    nights = sorted(line.rpartition("-")[2] for line in listed.out.split())
    assert len(nights) == 7
    assert {night[8:] for night in nights} == {"t1500"}
    place.cluster.windlass("suspend", "workflow/daily-kst")


@pytest.fixture(scope="module")
def ended(dev_cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Callable[[str], None]]:
    """Waits for the end of an example, of all that are chosen."""
    shared = dev_cluster.kubeconfig.parent / "shared"

    def play(name: str) -> None:
        with tempfile.TemporaryDirectory(dir=shared) as visible, tempfile.TemporaryDirectory() as own:
            STORIES[name](Place(dev_cluster, Path(visible), Path(own)))

    with side_by_side({name: partial(play, name) for name in chosen(request, "name")}, AT_ONCE) as waits:
        yield waits


@pytest.mark.parametrize("name", STORIES)
def test_example(ended: Callable[[str], None], name: str) -> None:
    ended(name)
