"""How pods end, and whose fault it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.pod_bodies import condition, deleted, ended, init, main, pod
from windlass.models.run import FailureClass
from windlass.plan.observe import observe
from windlass.plan.types import PodResult

APP, OOM, TIMEOUT, INFRA, START = (
    FailureClass.APP, FailureClass.OOM, FailureClass.TIMEOUT, FailureClass.INFRA, FailureClass.START,
)  # fmt: skip

DETAIL = {"image": "python:3.12", "memoryLimit": "1Gi", "user": 65532, "node": "n1"}
DISRUPTED = condition("DisruptionTarget", "True", "EvictionByEvictionAPI", "Eviction API: evicting", 15)


def failed(failure: FailureClass, reason: str, code: int | None = None, message: str = "", **more: Any) -> PodResult:
    known = {} if code is None else {"exitCode": code}
    detail = {**DETAIL, "message": message, **known, **more}
    return PodResult(failure, reason, code, message, detail={k: v for k, v in detail.items() if v is not None})


def good(message: str = "", code: int | None = 0, **more: Any) -> PodResult:
    return PodResult(None, "Completed", code, message, detail=DETAIL, **more)


GIT_ERROR = (
    'Run(git fetch https://x.git nope --depth 1): exit status 128: { stdout: "", '
    'stderr: "fatal: couldn\'t find remote ref \\"nope\\"\\n" }'
)
GIT_LINES = '{"level":0,"msg":"starting up"}\n' + json.dumps(
    {"level": 0, "msg": "error syncing repo", "error": GIT_ERROR}
)
ENDS = {
    "success": (pod(main("Succeeded", ended(0, message="{}"))), good("{}")),
    "success without statuses": (pod({"phase": "Succeeded"}), good(code=None)),
    "a non-zero exit code": (pod(main("Failed", ended(3, message="boom\n"))), failed(APP, "Error", 3, "boom")),
    "out of memory": (pod(main("Failed", ended(137, "OOMKilled"))), failed(OOM, "OOMKilled", 137)),
    "an init container out of memory": (
        pod(init("prepare", 137, "", "OOMKilled")),
        failed(OOM, "OOMKilled", None, "the init container prepare was killed for want of memory", container="prepare"),
    ),
    "killed, but not for memory": (pod(main("Failed", ended(137))), failed(APP, "Error", 137)),
    "past its deadline": (
        pod(main("Failed", ended(143, message="tail"), reason="DeadlineExceeded", message="Pod was active…")),
        failed(TIMEOUT, "DeadlineExceeded", 143, "tail"),
    ),
    "past its deadline, and it ends well on TERM": (
        pod(main("Failed", ended(0), reason="DeadlineExceeded", message="Pod was active…")),
        failed(TIMEOUT, "DeadlineExceeded", 0, "Pod was active…"),
    ),
    "past its deadline without statuses": (
        pod({"phase": "Failed", "reason": "DeadlineExceeded", "message": "Pod was active…"}),
        failed(TIMEOUT, "DeadlineExceeded", None, "Pod was active…"),
    ),
    "evicted": (
        pod({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}),
        failed(INFRA, "Evicted", None, "The node was low on resource: memory."),
    ),
    "evicted while it ran": (
        pod(main("Failed", ended(137), reason="Evicted", message="low on memory")),
        failed(INFRA, "Evicted", 137, "low on memory"),
    ),
    "no room on the node": (
        pod({"phase": "Failed", "reason": "OutOfcpu", "message": "Node didn't have enough resource: cpu"}),
        failed(INFRA, "NodeRejected", None, "Node didn't have enough resource: cpu"),
    ),
    "node shut down": (
        pod(main("Failed", ended(143), reason="Terminated", message="imminent node shutdown")),
        failed(INFRA, "NodeShutdown", 143, "imminent node shutdown"),
    ),
    "the container was lost": (
        pod(main("Failed", ended(137, "ContainerStatusUnknown", "could not be located"))),
        failed(INFRA, "NodeLost", 137, "its node forgot the container"),
    ),
    "collected with its node": (
        pod(
            {
                "phase": "Failed",
                "conditions": [condition("DisruptionTarget", "True", "DeletionByPodGC", "node is gone")],
            }
        ),
        failed(INFRA, "NodeLost", None, "node is gone"),
    ),
    "disrupted, then it ends well": (
        pod(main("Succeeded", ended(0, second=16), conditions=[DISRUPTED])),
        failed(INFRA, "Evicted", 0, "Eviction API: evicting"),
    ),
    "it had ended before the disruption": (pod(main("Succeeded", ended(0, second=14), conditions=[DISRUPTED])), good()),
    "it had failed before the disruption": (
        pod(main("Failed", ended(2, second=14), conditions=[DISRUPTED])),
        failed(APP, "Error", 2),
    ),
    "a disruption that is over": (
        pod(main("Succeeded", ended(0), conditions=[condition("DisruptionTarget", "False", "PreemptionByScheduler")])),
        good(),
    ),
    "preempted": (
        pod(
            main(
                "Failed",
                ended(143),
                conditions=[condition("DisruptionTarget", "True", "PreemptionByScheduler", "prio", 11)],
            )
        ),
        failed(INFRA, "Preempted", 143, "prio"),
    ),
    "deleted by hand": (
        pod(main("Failed", ended(137, second=25)), **deleted(18)),
        failed(INFRA, "Deleted", 137, "the pod was deleted before its task had ended"),
    ),
    "deleted by hand, and it ends well on TERM": (
        pod(main("Succeeded", ended(0, second=18)), **deleted(18)),
        failed(INFRA, "Deleted", 0, "the pod was deleted before its task had ended"),
    ),
    "deleted after it had ended": (pod(main("Succeeded", ended(0, second=17)), **deleted(18)), good()),
    "ended by TERM in the second of its deletion, and let go by the kubelet": (
        pod(main("Failed", ended(143, second=18)), **deleted(18, grace=0)),
        failed(INFRA, "Deleted", 143, "the pod was deleted before its task had ended"),
    ),
    "deleted in the second of its end": (pod(main("Succeeded", ended(0, second=18)), **deleted(18, grace=0)), good()),
    "out of memory, then deleted": (
        pod(main("Failed", ended(137, "OOMKilled", second=17)), **deleted(18)),
        failed(OOM, "OOMKilled", 137),
    ),
    "the command is not there": (
        pod(main("Failed", ended(128, "StartError", 'exec: "nope": executable file not found in $PATH'))),
        failed(START, "StartError", 128, 'exec: "nope": executable file not found in $PATH'),
    ),
    "an init container fails": (
        pod(init("prepare", 4, "no disk")),
        failed(
            APP,
            "InitContainerFailed",
            4,
            "the init container prepare ended with exit code 4: no disk",
            container="prepare",
        ),
    ),
    "an init container can't start": (
        pod(init("prepare", 128, "exec: no such file", "StartError")),
        failed(
            START,
            "StartError",
            128,
            "the init container prepare could not be started: exec: no such file",
            container="prepare",
        ),
    ),
    "git-sync fails": (
        pod(init("git-sync", 1, GIT_LINES)),
        failed(APP, "GitSyncFailed", 1, 'fatal: couldn\'t find remote ref "nope"', container="git-sync"),
    ),
    "git-sync says nothing": (
        pod(init("git-sync", 1, "")),
        failed(APP, "GitSyncFailed", 1, "the init container git-sync ended with exit code 1", container="git-sync"),
    ),
    "a native sidecar that failed does not matter": (
        pod(
            {**main("Succeeded", ended(0)), "initContainerStatuses": [{"name": "sync", "state": ended(1)}]},
            {"initContainers": [{"name": "sync", "restartPolicy": "Always"}]},
        ),
        good(limit_bytes=4096),
    ),
    "failed for a reason of its own": (
        pod({"phase": "Failed", "reason": "SomethingNew", "message": "odd"}),
        failed(INFRA, "SomethingNew", None, "odd"),
    ),
}


@pytest.mark.parametrize(("body", "result"), ENDS.values(), ids=ENDS.keys())
def test_result(body: dict[str, Any], result: PodResult) -> None:
    assert observe(body).result == result


LIMITS = {"one": (1, 0, 4096), "three": (2, 1, 4096), "four": (2, 2, 3072), "six": (3, 3, 2048)}


@pytest.mark.parametrize(("containers", "inits", "limit"), LIMITS.values(), ids=LIMITS.keys())
@pytest.mark.parametrize("short", [0, 1])
def test_truncation(containers: int, inits: int, limit: int, short: int) -> None:
    spec = {
        "containers": [{"name": "main"}, *({"name": f"s{n}"} for n in range(containers - 1))],
        "initContainers": [{"name": f"i{n}"} for n in range(inits)],
    }
    result = observe(pod(main("Succeeded", ended(0, message="é" * ((limit - short) // 2))), spec)).result
    assert result is not None
    assert (result.truncated, result.limit_bytes) == (short == 0, limit)


GIT_WORDS = {
    "a login in a URL": (
        '{"error": "Run(git fetch https://me:hunter2@git.example.com/a.git): exit status 128"}',
        "Run(git fetch https://…@git.example.com/a.git): exit status 128",
    ),
    "an error file": (
        json.dumps({"Msg": "failed", "Err": GIT_ERROR, "Args": {}}),
        'fatal: couldn\'t find remote ref "nope"',
    ),
    "a line cut at its beginning": (GIT_LINES[60:], 'fatal: couldn\'t find remote ref "nope"'),
    "no command's output": ('{"msg": "invalid flag", "error": "unknown flag: --x"}', "unknown flag: --x"),
    "an empty stderr": (
        '{"error": "Run(git x): { stdout: \\"\\", stderr: \\"\\" }"}',
        'Run(git x): { stdout: "", stderr: "" }',
    ),
    "no JSON": ("bash: git-sync: command not found\n", "bash: git-sync: command not found"),
}


@pytest.mark.parametrize(("said", "words"), GIT_WORDS.values(), ids=GIT_WORDS.keys())
def test_git_words(said: str, words: str) -> None:
    result = observe(pod(init("git-sync", 1, said))).result
    assert result is not None
    assert result.message == words
