"""One story on a real cluster, as a platform team lives it, by the commands of the pages.

Nothing is there; the chart is installed; all examples run; the leader is killed meanwhile; a reader types what the
README says; the chart is upgraded while runs are under way; it is uninstalled; in the end the definitions go, too.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.clusters import Cluster, phases
from support.controller import Controller
from support.examples import EXAMPLES, Pod, documents, manifest_from, run_all
from support.git_server import GitServer
from support.kubectl import kubectl, objects
from support.readme import PLACES, Place, blocks
from support.release import Release, apply_kinds, remove_kinds
from support.report_servers import ReportServers
from support.sales_report import check_mail
from support.terminal import Terminals
from support.watchers import PodWatch, kill_container, memory_of
from windlass.names import RESULT_FINALIZER

pytestmark = pytest.mark.cluster
SYSTEM = "windlass-system"
"""The namespace that the pages install into."""
COMPUTED = ("daily-sales-etl", "hello", "weather-umbrella")
"""Examples whose tasks are run here too, so that all that must be told of their runs is known."""
REPORT = "sales-report"
OTHERS = [
    path.parent.name for path in sorted(EXAMPLES.glob("*/run.yaml")) if path.parent.name not in (*COMPUTED, REPORT)
]
APPROVED = {"approval": "go-ahead"}
"""Those that wait for a person, and at which task."""
MOUNTS = {"daily-sales-etl": "/warehouse", "weather-umbrella": "/models"}
FOLLOWED_WITHIN = 30.0
"""Seconds. That it takes ten at most is shown where nothing else goes on; the machine is busy here."""

Told = tuple[str, str, dict[str, tuple[str, list[Any], Any]]]
"""Of a run: phase, progress, and of each task its phase, the failure class of each of its attempts, and its outputs."""


def told(status: Mapping[str, Any]) -> Told:
    tasks = {
        task["name"]: (task["phase"], [one.get("class") for one in task["attempts"]], task.get("outputs"))
        for task in status["tasks"]
    }
    return status["phase"], status["progress"], tasks


def went_well(outputs: Mapping[str, Any]) -> Told:
    """What is told of a run of which each task succeeded, with these outputs, at its first attempt."""
    count = len(outputs)
    return "Succeeded", f"{count}/{count}", {name: ("Succeeded", [None], value) for name, value in outputs.items()}


_COUNT = """\
sleep 15
echo "{\\"n\\": $(( ${N:-0} + 1 ))}" > "$WINDLASS_OUTPUTS"
"""
LONG = {
    "tasks": [
        {"name": "a", "script": _COUNT},
        {
            "name": "b",
            "dependsOn": ["a"],
            "script": _COUNT,
            "env": [{"name": "N", "value": "{{ tasks.a.outputs.n }}"}],
        },
        {
            "name": "c",
            "dependsOn": ["b"],
            "script": _COUNT,
            "env": [{"name": "N", "value": "{{ tasks.b.outputs.n }}"}],
        },
    ]
}
"""Nearly a minute, in which its tasks hand on a number."""
COUNTED = went_well({"a": {"n": 1}, "b": {"n": 2}, "c": {"n": 3}})
AT_THE_END = {"tasks": [{"name": "a", "script": "sleep 600", "terminationGracePeriod": "1s"}]}


def commands(file: str, heading: str) -> list[list[str]]:
    """The blocks of commands that stand under a heading of a page."""
    return [block.commands for block in blocks() if (block.file, block.heading) == (file, heading)]


class Story:
    """Who and what is in it."""

    def __init__(self, cluster: Cluster, terminals: Terminals, watch: PodWatch) -> None:
        self.cluster = cluster
        self.terminals = terminals
        self.watch = watch
        self.release = Release(SYSTEM)
        self._began = time.monotonic()

    def chapter(self, title: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {title}", flush=True)

    def runs(self) -> dict[str, dict[str, Any]]:
        """The status of each run."""
        found = objects("workflowruns.windlass.dev", self.cluster.namespace)
        return {one["metadata"]["name"]: one.get("status", {}) for one in found}

    def apply(self, manifest: str) -> None:
        kubectl("apply", "-n", self.cluster.namespace, "-f", "-", stdin=manifest)

    def kill_the_leader(self) -> None:
        lease = self.release.lease()
        leader = self.release.leader()
        kill_container(leader)
        began = time.monotonic()
        while (now := self.release.lease())["leaseTransitions"] == lease["leaseTransitions"]:
            assert time.monotonic() - began < FOLLOWED_WITHIN, f"nobody has followed: {now}"
            time.sleep(0.1)
        assert now["holderIdentity"] not in ("", lease["holderIdentity"])
        self.chapter(f"the leader was killed, and followed after {time.monotonic() - began:.1f} s")

    def upgrade(self) -> None:
        """By the pages' own command, with a change, so that all controllers are replaced."""
        before = {pod["metadata"]["name"] for pod in self.release.pods()}
        ((by_hand,),) = commands("docs/upgrade.md", "Definitions by hand")
        ((upgrade,),) = commands("docs/upgrade.md", "Upgrade")
        self.terminals.type([by_hand])
        self.terminals.type([upgrade], more="--set podAnnotations.story=upgraded")
        after = [pod for pod in self.release.pods() if "deletionTimestamp" not in pod["metadata"]]
        assert [pod["metadata"]["annotations"].get("story") for pod in after] == ["upgraded"] * 2
        assert not before & {pod["metadata"]["name"] for pod in after}

    def one_pod_an_attempt(self, *names: str) -> None:
        """Of the runs of these names, which are over: as many pods as attempts, and none made again under its name."""
        statuses, seen = self.runs(), self.watch.seen(self.cluster.namespace)
        made = {name: sorted(pod for pod, _ in seen.get(name, ())) for name in names}
        attempts = {
            name: sorted(one["pod"] for task in statuses[name]["tasks"] for one in task["attempts"]) for name in names
        }
        # What resolves a source is a pod that belongs to no task.
        sources = {name: [pod for pod in made[name] if "windlass-source" in pod] for name in names}
        assert {name: [pod for pod in made[name] if pod not in sources[name]] for name in names} == attempts
        assert all(len(found) <= 1 for found in sources.values()), sources

    def held_pods(self) -> list[str]:
        """Pods that wait for the controller, anywhere."""
        pods = json.loads(kubectl("get", "pods", "-A", "-o", "json"))["items"]
        return [
            f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            for pod in pods
            if RESULT_FINALIZER in pod["metadata"].get("finalizers", ())
        ]


@pytest.fixture
def story(
    controller: Controller, controller_image: None, kubeconfig: Path, own: Path, tmp_path: Path
) -> Iterator[Story]:
    """Nothing of Windlass is in the cluster. The session's own controller rests meanwhile."""
    controller.stop()
    remove_kinds()
    name = f"windlass-story-{uuid.uuid4().hex[:6]}"
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    cluster = Cluster(kubeconfig, name, real=True)
    try:
        with Terminals(tmp_path, own) as terminals, PodWatch(tmp_path) as watch:
            yield Story(cluster, terminals, watch)
    finally:
        release = Release(SYSTEM)
        if release.is_installed():
            print(release.logs())
            release.helm("uninstall")
        kubectl("delete", "namespace", name, SYSTEM, "--ignore-not-found", "--wait=false")
        apply_kinds()
        controller.start()


def clusters_own() -> str:
    """What the chart makes that is in no namespace, and what others made of its kind."""
    return kubectl(
        "get",
        "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings",
        "-o",
        "name",
    )


def manifests_of_examples(git_server: GitServer, servers: ReportServers) -> str:
    """All examples with their runs, as their READMEs say, their code and servers being those of the tests."""
    found = [servers.secret()]
    for name in (*COMPUTED, REPORT, *OTHERS):
        found += [manifest_from(name, git_server), (EXAMPLES / name / "run.yaml").read_text()]
    return "\n---\n".join(found)


def expected_of_examples(directory: Path) -> dict[str, Told]:
    """What must be told of the examples' runs: their tasks, run here, say it."""
    expected = {}
    for name in COMPUTED:
        (run,) = documents(EXAMPLES / name / "run.yaml")
        where = directory / name
        where.mkdir()
        mounts = {MOUNTS[name]: str(where)} if name in MOUNTS else {}
        pod = Pod(name, where, run=run["metadata"]["name"])
        ended = run_all(pod, params=run["spec"].get("params", {}), mounts=mounts)
        expected[run["metadata"]["name"]] = went_well({task: one.outputs for task, one in ended.items()})
    return expected


def test_from_install_to_uninstall(
    story: Story, git_server: GitServer, report_servers: ReportServers, tmp_path: Path
) -> None:
    cluster, release, terminals = story.cluster, story.release, story.terminals
    expected = expected_of_examples(tmp_path)
    examples = manifests_of_examples(git_server, report_servers)
    report_servers.take_mails()
    everywhere = clusters_own()
    story.chapter("begins")

    ((install,),) = commands("docs/install-kind.md", "3. The chart")
    terminals.type([install])
    assert [all(one["ready"] for one in pod["status"]["containerStatuses"]) for pod in release.pods()] == [True, True]
    memory = sorted(f"{memory_of(pod):.0f} MiB" for pod in release.pods())
    story.chapter(f"installed, ready; the controllers take {' and '.join(memory)}")

    story.apply(examples)
    cluster.start("over-the-kill", LONG)
    cluster.until("over-the-kill", lambda status: phases(status).get("a") == "Running")
    story.chapter("all examples are applied")
    story.kill_the_leader()

    for block in blocks():
        if PLACES.get((block.file, block.heading)) is Place.CLUSTER:
            # The chart's controllers are there already.
            terminals.type(block.commands, left_out=["windlass controller"])
    (try_it,) = commands("docs/install-kind.md", "4. Does it work?")
    assert "Phase:          Succeeded" in terminals.type(try_it)
    story.chapter("a reader has typed the README's commands")

    cluster.start("over-the-upgrade", LONG)
    cluster.until("over-the-upgrade", lambda status: phases(status).get("a") == "Running")
    story.upgrade()
    story.chapter("upgraded")

    expected |= {"over-the-kill": COUNTED, "over-the-upgrade": COUNTED}
    for name, waiting in APPROVED.items():
        said = cluster.windlass("approve", f"{name}-1", waiting)
        assert said.code == 0, said.all
    others = [documents(EXAMPLES / name / "run.yaml")[0]["metadata"]["name"] for name in OTHERS]
    for name in (*expected, f"{REPORT}-1", *others):
        assert cluster.ended(name)["phase"] == "Succeeded", name
    statuses = story.runs()
    assert {name: told(statuses[name]) for name in expected} == expected
    report = told(statuses[f"{REPORT}-1"])
    assert report == went_well({name: outputs for name, (_, _, outputs) in report[2].items()})
    (mail,) = report_servers.take_mails()
    check_mail(mail, title="Sales of April 2025", run=f"{REPORT}-1")
    story.one_pod_an_attempt(*expected, f"{REPORT}-1")
    seen = story.watch.seen(cluster.namespace)
    assert {name: len({pod for pod, _ in seen[name]}) for name in others} == {name: len(seen[name]) for name in others}
    story.chapter("all runs have ended as they must")

    cluster.start("at-the-end", AT_THE_END)
    cluster.until("at-the-end", lambda status: phases(status).get("a") == "Running")
    assert story.held_pods() != []
    before = story.runs()
    (uninstall,), (remove,) = commands("docs/upgrade.md", "Uninstall")
    terminals.type([uninstall])
    assert story.held_pods() == []
    assert story.runs() == before, "definitions and runs are kept as they are"
    assert before["at-the-end"]["phase"] == "Running"
    left = kubectl(
        "get",
        "all,jobs,configmaps,secrets,roles,rolebindings,serviceaccounts,poddisruptionbudgets",
        "-n",
        SYSTEM,
        "-o",
        "name",
    )
    assert [one for one in left.split() if "windlass" in one and "windlass.dev" not in one] == []
    assert clusters_own() == everywhere
    story.chapter("uninstalled")

    terminals.type([remove])
    end = time.monotonic() + 60
    while objects("pods", cluster.namespace):
        assert time.monotonic() < end, "pods of runs that are gone stay"
        time.sleep(0.5)
    assert "windlass.dev" not in kubectl("get", "crd", "-o", "name")
    story.chapter("the definitions are removed, and with them all runs and their pods")
