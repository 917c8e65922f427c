"""Pods that run to their end: what their status says then. Real processes."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from support.pods import Body, PodCluster, config_map, end_of, pod, pod_cluster, secret, sh, state_of
from windlass.dev.pods.objects import CONFIG_MAPS, SECRETS
from windlass.resources import EVENTS

RUNTIME = "failed to create containerd task: failed to create shim task: OCI runtime create failed: "


@pytest_asyncio.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[PodCluster]:
    async with pod_cluster(tmp_path / "state") as started:
        started.create(config_map("settings", COLOUR="blue", **{"app.ini": "x=1\n"}), CONFIG_MAPS)
        started.create(secret("login", user="ada", word="$(USER) $$"), SECRETS)
        yield started


@dataclass(frozen=True)
class Case:
    pod: Body
    end: tuple[Any, ...]
    phase: str = "Succeeded"
    log: str | None = None


def env(**values: Any) -> list[Body]:
    return [{"name": name} | (value if isinstance(value, dict) else {"value": value}) for name, value in values.items()]


def ref(kind: str, **reference: Any) -> Body:
    return {"valueFrom": {kind: reference}}


def volume(source: Body, script: str, **mount: Any) -> Body:
    main = {"volumeMounts": [{"name": "v", "mountPath": "/windlass/v"} | mount]}
    return sh("x", script, main=main, volumes=[{"name": "v"} | source])


SETTINGS = {"configMap": {"name": "settings"}}
MESSAGE = "/dev/termination-log"
CASES = {
    "it ends well": Case(pod("x", "true"), (0, "Completed", "")),
    "it fails": Case(sh("x", "echo oh; exit 7"), (7, "Error", ""), "Failed", "oh\n"),
    "a child's signal is the shell's exit code": Case(sh("x", "sh -c 'kill -9 $$$$'"), (137, "Error", ""), "Failed"),
    "no such program": Case(
        pod("x", "nope"),
        (128, "StartError", RUNTIME + 'exec: "nope": executable file not found in $PATH'),
        "Failed",
    ),
    "a program that is no program": Case(
        pod("x", "/etc/hosts"), (128, "StartError", RUNTIME + 'exec: "/etc/hosts": permission denied'), "Failed"
    ),
    "the environment is the container's alone": Case(
        pod("x", "env", main={"env": env(A="1", B="$(A)$$(A)$(NO)")}),
        (0, "Completed", ""),
        log=None,
    ),
    "arguments are expanded, once": Case(
        pod("x", "echo", main={"args": ["$(A)", "$$(A)", "$(B)"], "env": env(A="one", B="$$(A)")}),
        (0, "Completed", ""),
        log="one $(A) $(A)\n",
    ),
    "values of secrets, config maps and fields": Case(
        sh(
            "x",
            'echo "$U|$W|$C|$N|$L|$M|$G"',
            main={
                "env": env(
                    U=ref("secretKeyRef", name="login", key="user"),
                    W=ref("secretKeyRef", name="login", key="word"),
                    C=ref("configMapKeyRef", name="settings", key="COLOUR"),
                    N=ref("fieldRef", fieldPath="metadata.name"),
                    L=ref("fieldRef", fieldPath="metadata.labels['team']"),
                    M=ref("resourceFieldRef", resource="limits.memory", divisor="1Mi"),
                    G=ref("secretKeyRef", name="gone", key="user", optional=True),
                ),
                "resources": {"limits": {"memory": "64Mi"}},
            },
            metadata={"labels": {"team": "data"}},
        ),
        (0, "Completed", ""),
        log="ada|$(USER) $$|blue|x|data|64|\n",
    ),
    "whole config maps, with a prefix": Case(
        sh("x", "echo $S_COLOUR", main={"envFrom": [{"prefix": "S_", "configMapRef": {"name": "settings"}}]}),
        (0, "Completed", ""),
        log="blue\n",
    ),
    "a termination message": Case(sh("x", f"printf '{{\"a\": 1}}' > {MESSAGE}"), (0, "Completed", '{"a": 1}')),
    "a message at another path": Case(
        sh("x", "echo hi > /windlass/out", main={"terminationMessagePath": "/windlass/out"}), (0, "Completed", "hi\n")
    ),
    "the end of a long message": Case(
        sh("x", f"(printf %05000d 0; printf %04095d 0; printf 1) > {MESSAGE}"), (0, "Completed", "0" * 4095 + "1")
    ),
    "the log for want of a message": Case(
        sh("x", "seq 100; exit 1", main={"terminationMessagePolicy": "FallbackToLogsOnError"}),
        (1, "Error", "".join(f"{number}\n" for number in range(21, 101))),
        "Failed",
    ),
    "no log for one that ended well": Case(
        sh("x", "seq 100", main={"terminationMessagePolicy": "FallbackToLogsOnError"}), (0, "Completed", "")
    ),
    "an emptyDir": Case(
        volume({"emptyDir": {}}, "echo 1 > /windlass/v/a && ls /windlass/v"), (0, "Completed", ""), log="a\n"
    ),
    "an emptyDir below a directory of the host": Case(
        volume(
            {"emptyDir": {}},
            "echo 1 > /usr/share/new/deep/a && ls -d /usr/share/new/deep/a /usr/bin/env",
            mountPath="/usr/share/new/deep",
        ),
        (0, "Completed", ""),
        log="/usr/bin/env\n/usr/share/new/deep/a\n",
    ),
    "a read-only mount": Case(
        volume({"emptyDir": {}}, "echo 1 > /windlass/v/a", readOnly=True),
        (2, "Error", ""),
        "Failed",
        "sh: 1: cannot create /windlass/v/a: Read-only file system\n",
    ),
    "a config map": Case(volume(SETTINGS, "cat /windlass/v/app.ini"), (0, "Completed", ""), log="x=1\n"),
    "one file of a config map, in /etc": Case(
        volume(SETTINGS, "cat /etc/app/app.ini; test -r /etc/passwd", mountPath="/etc/app/app.ini", subPath="app.ini"),
        (0, "Completed", ""),
        log="x=1\n",
    ),
    "items of a secret, with their modes": Case(
        volume(
            {"secret": {"secretName": "login", "items": [{"key": "user", "path": "a/b", "mode": 0o400}]}},
            "cd /windlass/v && find . -type f && stat -c %a a/b && cat a/b",
        ),
        (0, "Completed", ""),
        log="./a/b\n400\nada",
    ),
    "an optional secret that is not there": Case(
        volume({"secret": {"secretName": "gone", "optional": True}}, "ls /windlass/v"), (0, "Completed", ""), log=""
    ),
    "a downward volume": Case(
        volume(
            {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
            "cat /windlass/v/labels",
        )
        | {"metadata": {"name": "x", "namespace": "default", "labels": {"b": "2", "a": "1"}}},
        (0, "Completed", ""),
        log='a="1"\nb="2"',
    ),
    "a projected volume": Case(
        volume({"projected": {"sources": [SETTINGS, {"secret": {"name": "login"}}]}}, "cd /windlass/v && echo *"),
        (0, "Completed", ""),
        log="COLOUR app.ini user word\n",
    ),
    "a working directory that no one brings": Case(
        sh("x", "pwd", main={"workingDir": "/srv/app/new"}), (0, "Completed", ""), log="/srv/app/new\n"
    ),
    "/tmp is its own and can be written": Case(
        sh("x", "cd $HOME; pwd; echo 1 > a; cat /tmp/a"), (0, "Completed", ""), log="/tmp\n1\n"
    ),
    "the host can't be written": Case(
        sh("x", "touch /usr/x"), (1, "Error", ""), "Failed", "touch: cannot touch '/usr/x': Read-only file system\n"
    ),
    "the user that the pod asks for": Case(
        sh("x", "id -u; id -g", securityContext={"runAsUser": 65532, "runAsGroup": 65533}),
        (0, "Completed", ""),
        log="65532\n65533\n",
    ),
    "process 1 of its own, on a host of its own name": Case(
        sh("x", "echo $$$$ $$(hostname) $HOSTNAME; getent hosts x | cut -d' ' -f1"),
        (0, "Completed", ""),
        log="1 x x\n127.0.0.1\n",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_pod(cluster: PodCluster, case: Case) -> None:
    ended = await cluster.play(case.pod)
    assert (end_of(ended), ended["status"]["phase"]) == (case.end, case.phase)
    if case.log is not None:
        assert await cluster.log("x") == case.log


async def test_the_environment_holds_nothing_of_the_host(cluster: PodCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_OF_THE_HOST", "1")
    await cluster.play(pod("x", "env", main={"env": env(A="1")}))
    names = [line.partition("=")[0] for line in (await cluster.log("x")).splitlines()]
    assert sorted(names) == ["A", "HOME", "HOSTNAME", "LANG", "PATH", "PWD"]


async def test_python_is_that_of_the_project(cluster: PodCluster) -> None:
    ended = await cluster.play(pod("x", "python", "-c", "import windlass, sys; print(sys.prefix)"))
    assert (await cluster.log("x"), end_of(ended)[0]) == (f"{sys.prefix}\n", 0)


async def test_messages_of_many_containers_share_the_budget(cluster: PodCluster) -> None:
    write = ["sh", "-c", f"printf %05000d 0 > {MESSAGE}"]
    more = [{"name": f"c{number}", "image": "x", "command": write} for number in range(5)]
    ended = await cluster.play(pod("x", *write) | {"spec": pod("x", *write)["spec"] | {"containers": more}})
    assert [len(end_of(ended, f"c{number}")[2]) for number in range(5)] == [2457] * 5


@dataclass(frozen=True)
class Waiting:
    pod: Body
    state: Body
    mend: Body | None = None
    event: str = ""


WAITING = {
    "a secret that is not there": Waiting(
        pod("x", "true", main={"env": env(A=ref("secretKeyRef", name="late", key="k"))}),
        {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "late" not found'}},
        secret("late", k="v"),
        'Error: secret "late" not found',
    ),
    "a key that is not there": Waiting(
        pod("x", "true", main={"env": env(A=ref("configMapKeyRef", name="settings", key="NO"))}),
        {
            "waiting": {
                "reason": "CreateContainerConfigError",
                "message": "couldn't find key NO in ConfigMap default/settings",
            }
        },
        None,
        "Error: couldn't find key NO in ConfigMap default/settings",
    ),
    "a volume's config map that is not there": Waiting(
        volume({"configMap": {"name": "late"}}, "true"),
        {"waiting": {"reason": "ContainerCreating"}},
        config_map("late", k="v"),
        'MountVolume.SetUp failed for volume "v" : configmap "late" not found',
    ),
    "no command": Waiting(
        pod("x", main={"command": None, "image": "acme/tool:1"}),
        {
            "waiting": {
                "reason": "CreateContainerError",
                "message": 'no command specified: the development cluster does not pull image "acme/tool:1", '
                "so it does not know its entrypoint; give the container a command",
            }
        },
    ),
    "root where it is forbidden": Waiting(
        pod("x", "true", securityContext={"runAsNonRoot": True, "runAsUser": 0}),
        {
            "waiting": {
                "reason": "CreateContainerConfigError",
                "message": "container's runAsUser breaks non-root policy",
            }
        },
    ),
    "an image that is not there": Waiting(
        pod("x", "true", main={"image": "acme/tool:missing"}),
        {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "acme/tool:missing"'}},
        None,
        'Failed to pull image: failed to pull and unpack image "acme/tool:missing": '
        'failed to resolve reference "acme/tool:missing": acme/tool:missing: not found',
    ),
}


@pytest.mark.parametrize("case", WAITING.values(), ids=WAITING.keys())
async def test_waiting(cluster: PodCluster, case: Waiting) -> None:
    cluster.create(case.pod)
    reason = case.state["waiting"]["reason"]
    waiting = await cluster.until(
        "x",
        lambda body: (
            body["status"].get("containerStatuses") and state_of(body).get("waiting", {}).get("reason") == reason
        ),
    )
    assert (state_of(waiting), waiting["status"]["phase"]) == (case.state, "Pending")
    if case.event:
        assert case.event in [event["note"] for event in cluster.store.list(EVENTS, "default")]
    if case.mend:
        cluster.create(case.mend, CONFIG_MAPS if case.mend["kind"] == "ConfigMap" else SECRETS)
        assert (await cluster.ended("x"))["status"]["phase"] == "Succeeded"
