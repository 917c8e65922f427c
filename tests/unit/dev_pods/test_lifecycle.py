"""The order of a pod's containers, and every way in which a pod is ended. Real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from support.pods import Body, PodCluster, end_of, pod, pod_cluster, sh, state_of
from windlass.controller.clock import SystemClock
from windlass.dev.api.store import Store
from windlass.dev.pods.objects import VOLUMES
from windlass.errors import Invalid, NotFound
from windlass.resources import CLAIMS, PODS

DEAF = "trap '' TERM; echo up; sleep 100"
GENTLE = "trap 'echo bye; exit 3' TERM; echo up; sleep 100 & wait"
SHARED = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
VOLUME = [{"name": "v", "emptyDir": {}}]


@pytest_asyncio.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[PodCluster]:
    async with pod_cluster(tmp_path / "state") as started:
        yield started


def step(name: str, script: str, **more: Any) -> Body:
    return {"name": name, "image": "debian", "command": ["sh", "-c", script]} | more


def conditions(body: Body) -> dict[str, tuple[str, str]]:
    return {one["type"]: (one["status"], one.get("reason", "")) for one in body["status"]["conditions"]}


def order_of(seen: list[Body]) -> list[str]:
    phases = [one["status"]["phase"] for one in seen]
    return [phase for index, phase in enumerate(phases) if index == 0 or phases[index - 1] != phase]


async def test_a_plain_pod_costs_two_writes(cluster: PodCluster) -> None:
    before = cluster.store.version
    await cluster.play(pod("x", "true"))
    assert cluster.store.version - before == 3  # its creation is the third


async def test_init_containers_run_in_their_order(cluster: PodCluster) -> None:
    inits = [step("one", "echo 1 > /v/a", **SHARED), step("two", "echo 2 >> /v/a", **SHARED)]
    ended = await cluster.play(sh("x", "cat /v/a", main=SHARED, volumes=VOLUME, initContainers=inits))
    assert await cluster.log("x", "main") == "1\n2\n"
    assert [end_of(ended, name)[:2] for name in ("one", "two", "main")] == [(0, "Completed")] * 3
    assert conditions(ended) == {
        "PodReadyToStartContainers": ("False", ""),
        "Initialized": ("True", "PodCompleted"),
        "Ready": ("False", "PodCompleted"),
        "ContainersReady": ("False", "PodCompleted"),
        "PodScheduled": ("True", ""),
    }


async def test_an_init_container_that_fails_ends_the_pod(cluster: PodCluster) -> None:
    ended = await cluster.play(pod("x", "true", initContainers=[step("one", "exit 4"), step("two", "true")]))
    assert ended["status"]["phase"] == "Failed"
    assert end_of(ended, "one") == (4, "Error", "")
    assert [state_of(ended, name) for name in ("two", "main")] == [{"waiting": {"reason": "PodInitializing"}}] * 2
    assert conditions(ended)["Initialized"] == ("False", "ContainersNotInitialized")


async def test_sidecars_serve_the_others_and_are_stopped_last_first(cluster: PodCluster) -> None:
    def sidecar(name: str) -> Body:
        script = f"trap 'echo {name} >> /v/end; exit 0' TERM; touch /v/{name}; sleep 100 & wait"
        return step(name, script, restartPolicy="Always", **SHARED)

    inits = [
        sidecar("first"),
        sidecar("second"),
        step("look", "until test -e /v/second; do sleep 0.01; done", **SHARED),
    ]
    volume = [{"name": "v", "hostPath": {"path": str(cluster.runner.shared)}}]
    ended = await cluster.play(sh("x", "test -e /v/first", main=SHARED, volumes=volume, initContainers=inits))
    assert ended["status"]["phase"] == "Succeeded"
    assert (cluster.runner.shared / "end").read_text() == "second\nfirst\n"
    assert end_of(ended, "first")[0] == 0


async def test_a_failed_sidecar_does_not_fail_the_pod(cluster: PodCluster) -> None:
    inits = [step("side", "exit 9", restartPolicy="Always")]
    ended = await cluster.play(sh("x", "sleep 0.2", initContainers=inits))
    assert (ended["status"]["phase"], end_of(ended, "side")[0]) == ("Succeeded", 9)


ENDS = {
    "it handles TERM": (GENTLE, 30, (3, "Error", "")),
    "it does not": (DEAF, 1, (137, "Error", "")),
}


@pytest.mark.parametrize(("script", "grace", "end"), ENDS.values(), ids=ENDS.keys())
async def test_a_deadline_ends_the_pod_and_keeps_its_log(
    cluster: PodCluster, script: str, grace: int, end: tuple[Any, ...]
) -> None:
    cluster.create(sh("x", script, terminationGracePeriodSeconds=grace))
    await cluster.running("x")
    await cluster.said("x", "up")
    cluster.store.patch(PODS, "default", "x", {"spec": {"activeDeadlineSeconds": 1}})
    ended = await cluster.ended("x")
    status = ended["status"]
    assert (status["phase"], status["reason"], end_of(ended)) == ("Failed", "DeadlineExceeded", end)
    assert (await cluster.log("x")).startswith("up\n")


@pytest.mark.parametrize(("script", "grace", "end"), ENDS.values(), ids=ENDS.keys())
async def test_a_deletion_with_a_finalizer_leaves_the_result(
    cluster: PodCluster, script: str, grace: int, end: tuple[Any, ...]
) -> None:
    cluster.create(sh("x", script, metadata={"finalizers": ["windlass.dev/result"]}))
    await cluster.running("x")
    await cluster.said("x", "up")
    cluster.store.delete(PODS, "default", "x", grace=grace)
    ended = await cluster.until("x", lambda body: body["metadata"].get("deletionGracePeriodSeconds") == 0)
    assert (ended["status"]["phase"], end_of(ended)) == ("Failed", end)
    cluster.store.patch(PODS, "default", "x", {"metadata": {"finalizers": None}})
    await cluster.until_gone("x")


async def test_a_deleted_pod_goes_with_its_files(cluster: PodCluster, tmp_path: Path) -> None:
    cluster.create(sh("x", GENTLE, volumes=VOLUME, main=SHARED))
    await cluster.running("x")
    await cluster.said("x", "up")
    cluster.store.delete(PODS, "default", "x")
    await cluster.until_gone("x")
    await cluster.runner.stop()
    assert list((tmp_path / "state" / "pods").iterdir()) == []


async def test_a_pod_removed_by_force_leaves_no_process(cluster: PodCluster) -> None:
    cluster.create(sh("x", "echo up; sleep 4711"))
    await cluster.running("x")
    cluster.store.delete(PODS, "default", "x", grace=0)
    await _no_process("4711")


async def test_a_process_that_outlived_its_cluster_is_found_at_the_next_start(tmp_path: Path) -> None:
    async with pod_cluster(tmp_path / "state") as cluster:
        cluster.create(sh("x", "echo up; sleep 4714"))
        await cluster.running("x")
        await cluster.said("x", "up")
        async with pod_cluster(tmp_path / "other"):
            assert len(_processes("4714")) == 1
        async with pod_cluster(tmp_path / "state"):
            await _no_process("4714")


async def test_a_pod_that_waits_is_deleted_at_once(cluster: PodCluster) -> None:
    missing = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "no", "key": "no"}}}
    cluster.create(pod("x", "true", main={"env": [missing]}))
    await cluster.until("x", lambda body: "containerStatuses" in body["status"])
    cluster.store.delete(PODS, "default", "x")
    await cluster.until_gone("x")


async def test_more_pods_than_the_node_takes_wait_for_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("windlass.dev.pods.runner.MAX_PODS", 2)
    async with pod_cluster(tmp_path / "state") as cluster:
        for name in ("a", "b", "c", "d"):
            cluster.create(sh(name, "until test -e $WHERE/go; do sleep 0.01; done", main=_where(cluster)))
        waiting = await cluster.until("d", lambda body: body["status"].get("conditions"))
        assert waiting["status"]["conditions"][0]["message"] == "0/1 nodes are available: 1 Too many pods."
        await cluster.running("b")
        cluster.store.delete(PODS, "default", "c")
        assert cluster.get("d")["status"]["phase"] == "Pending"
        (cluster.runner.shared / "go").touch()
        for name in ("a", "b", "d"):
            assert (await cluster.ended(name))["status"]["phase"] == "Succeeded"


def _where(cluster: PodCluster) -> Body:
    return {"env": [{"name": "WHERE", "value": str(cluster.runner.shared)}]}


async def test_writes_during_the_grace_period_do_not_make_it_longer(cluster: PodCluster) -> None:
    cluster.create(sh("x", DEAF))
    await cluster.running("x")
    await cluster.said("x", "up")
    cluster.store.delete(PODS, "default", "x", grace=1)
    gone = asyncio.create_task(cluster.until_gone("x"))
    for number in range(40):
        await asyncio.sleep(0.05)
        if gone.done():
            break
        cluster.store.patch(PODS, "default", "x", {"metadata": {"labels": {"n": str(number)}}})
    await asyncio.sleep(0.2)
    assert gone.done()


async def test_a_claim_that_is_deleted_keeps_its_directory_as_long_as_a_pod_uses_it(
    cluster: PodCluster, tmp_path: Path
) -> None:
    cluster.create(claim(), CLAIMS)
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    main = SHARED | _where(cluster)
    cluster.create(sh("x", "until test -e $WHERE/go; do sleep 0.01; done; echo 1 > /v/a", main=main, volumes=volumes))
    await cluster.running("x")
    cluster.store.delete(CLAIMS, "default", "data")
    await asyncio.sleep(0.1)
    assert len(list((tmp_path / "state" / "volumes").iterdir())) == 1
    (cluster.runner.shared / "go").touch()
    assert (await cluster.ended("x"))["status"]["phase"] == "Succeeded"
    await _true(lambda: not list((tmp_path / "state" / "volumes").iterdir()))


UNPLACED = {
    "a node that is not there": (
        {"nodeSelector": {"gpu": "yes"}},
        "1 node(s) didn't match Pod's node affinity/selector",
    ),
    "more than there is": ({"main": {"resources": {"requests": {"cpu": "1000"}}}}, "1 Insufficient cpu"),
    "a claim that is not there": (
        {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]},
        'persistentvolumeclaim "data" not found',
    ),
}


@pytest.mark.parametrize(("spec", "why"), UNPLACED.values(), ids=UNPLACED.keys())
async def test_a_pod_that_can_not_be_placed(cluster: PodCluster, spec: Body, why: str) -> None:
    cluster.create(pod("x", "true", **spec))
    waiting = await cluster.until("x", lambda body: body["status"].get("conditions"))
    said = waiting["status"]["conditions"][0]
    assert (said["type"], said["status"], said["reason"]) == ("PodScheduled", "False", "Unschedulable")
    assert said["message"] == f"0/1 nodes are available: {why}."
    cluster.store.delete(PODS, "default", "x")
    await cluster.until_gone("x")


def claim() -> Body:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    meta = {"name": "data", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


async def test_a_claim_is_bound_once_it_is_wanted_and_outlives_its_pods(cluster: PodCluster, tmp_path: Path) -> None:
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    cluster.create(sh("x", "echo kept > /v/a", main=SHARED, volumes=volumes))
    await cluster.until("x", lambda body: body["status"].get("conditions"))
    created = cluster.create(claim(), CLAIMS)
    assert created["status"]["phase"] == "Pending"
    await cluster.ended("x")
    await cluster.play(sh("y", "cat /v/sub/b /v/a; ls /v", main=SHARED, volumes=volumes))
    bound = cluster.store.get(CLAIMS, "default", "data")
    assert (bound["status"]["phase"], bound["spec"]["volumeName"]) == ("Bound", f"pvc-{bound['metadata']['uid']}")
    assert "kept\n" in await cluster.log("y")
    assert len(list((tmp_path / "state" / "volumes").iterdir())) == 1
    cluster.store.delete(CLAIMS, "default", "data")
    await _true(lambda: not list((tmp_path / "state" / "volumes").iterdir()))
    assert cluster.store.list(VOLUMES) == []


async def test_on_failure_starts_again_after_the_backoff(cluster: PodCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windlass.dev.pods.worker.FIRST_BACKOFF", 0.05)
    script = "echo run; test -e /v/a || { touch /v/a; exit 5; }"
    ended = await cluster.play(sh("x", script, main=SHARED, volumes=VOLUME, restartPolicy="OnFailure"))
    main = ended["status"]["containerStatuses"][0]
    assert (main["restartCount"], main["lastState"]["terminated"]["exitCode"], end_of(ended)[0]) == (1, 5, 0)
    assert await cluster.log("x", previous=True) == "run\n"


async def test_logs(cluster: PodCluster) -> None:
    await cluster.play(sh("x", "echo one; echo two >&2; printf three"))
    assert await cluster.log("x") == "one\ntwo\nthree"
    assert await cluster.log("x", tail_lines=2) == "two\nthree"
    assert await cluster.log("x", limit_bytes=5) == "one\nt"
    stamped = (await cluster.log("x", timestamps=True)).splitlines()
    assert [line.partition(" ")[2] for line in stamped] == ["one", "two", "three"]
    assert [len(line.partition(" ")[0]) for line in stamped] == [30, 30, 30]


async def test_logs_that_are_not_there(cluster: PodCluster) -> None:
    two = [step("a", "true"), step("b", "true")]
    cluster.create(pod("x") | {"spec": pod("x")["spec"] | {"containers": two, "nodeSelector": {"no": "no"}}})
    with pytest.raises(NotFound, match='pods "y" not found'):
        cluster.runner.logs("default", "y")
    with pytest.raises(Invalid, match=r"a container name must be specified for pod x, choose one of: \[a b\]"):
        cluster.runner.logs("default", "x")
    with pytest.raises(Invalid, match="container c is not valid for pod x"):
        cluster.runner.logs("default", "x", "c")
    with pytest.raises(Invalid, match='container "a" in pod "x" is waiting to start: ContainerCreating'):
        cluster.runner.logs("default", "x", "a")


async def test_a_log_without_bounds_keeps_its_end(cluster: PodCluster, tmp_path: Path) -> None:
    await cluster.play(sh("x", "yes | head -c 40000000; echo END"))
    assert await cluster.log("x", tail_lines=2) == "y\nEND\n"
    assert 5_000_000 < len(await cluster.log("x")) < 12_000_000
    files = [path for path in (tmp_path / "state" / "pods").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 12_000_000


async def test_a_stopped_cluster_leaves_no_process_and_finds_its_pods_lost(tmp_path: Path) -> None:
    store = Store(now=SystemClock().now)
    async with pod_cluster(tmp_path / "state", store) as cluster:
        cluster.create(sh("x", "echo up; sleep 4712"))
        await cluster.running("x")
        await cluster.said("x", "up")
        cluster.create(pod("later", "true", nodeSelector={"no": "no"}))
    await _no_process("4712")
    async with pod_cluster(tmp_path / "state", store) as cluster:
        lost = await cluster.ended("x")
        status = lost["status"]
        assert (status["phase"], status["reason"]) == ("Failed", "Terminated")
        assert conditions(lost)["DisruptionTarget"] == ("True", "TerminationByKubelet")
        assert end_of(lost)[:2] == (137, "ContainerStatusUnknown")
        assert cluster.get("later")["status"]["phase"] == "Pending"


KILLED = """
import asyncio, sys
from pathlib import Path
from support.pods import pod_cluster, sh

async def main():
    async with pod_cluster(Path(sys.argv[1])) as cluster:
        cluster.create(sh("x", "setsid sleep WORD & echo up; sleep WORD"))
        await cluster.running("x")
        await cluster.said("x", "up")
        print("up", flush=True)
        await asyncio.sleep(100)

asyncio.run(main())
"""


async def test_a_killed_cluster_leaves_no_process(tmp_path: Path) -> None:
    tests, word = Path(__file__).parents[2], f"4713.{os.getpid()}"
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        KILLED.replace("WORD", word),
        str(tmp_path),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(tests)},
    )
    try:
        assert child.stdout is not None
        assert await asyncio.wait_for(child.stdout.readline(), 20) == b"up\n"
        await _true(lambda: len(_processes(word)) == 2)
    finally:
        child.send_signal(signal.SIGKILL)
        await child.wait()
    await _no_process(word)


def _processes(word: str) -> list[str]:
    """The programs that sleep for that many seconds."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words[:2] == ["sleep", word]:
            found.append(path.parent.name)
    return found


async def _no_process(word: str) -> None:
    await _true(lambda: not _processes(word))


async def _true(reached: Callable[[], bool]) -> None:
    """Wait for what nobody tells."""
    for _ in range(500):
        if reached():
            return
        await asyncio.sleep(0.01)
    raise AssertionError


async def test_a_pod_that_the_machine_can_not_take_fails_alone(
    cluster: PodCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("windlass.dev.pods.container.PodHome.make", full)
        failed = await cluster.play(pod("x", "true"))
    said = "the development cluster failed to run this pod: OSError: No space left on device"
    assert (failed["status"]["reason"], failed["status"]["message"]) == ("UnexpectedError", said)
    assert (await cluster.play(pod("y", "true")))["status"]["phase"] == "Succeeded"
