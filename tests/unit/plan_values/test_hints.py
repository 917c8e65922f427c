"""What the reader is told to do about each failure."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.models.run import FailureClass, TaskPhase, TaskStatus
from windlass.plan.hint_table import ROWS
from windlass.plan.hints import hint, hint_for, hint_of
from windlass.plan.types import PodResult

APP, OOM, TIMEOUT = FailureClass.APP, FailureClass.OOM, FailureClass.TIMEOUT
INFRA, START, LAUNCH = FailureClass.INFRA, FailureClass.START, FailureClass.LAUNCH

PULL = 'Back-off pulling image "acme/etl:2": ErrImagePull: rpc error: code = '
CASES: dict[str, tuple[FailureClass, str, dict[str, Any], str]] = {
    "image not found": (
        START,
        "ImagePullBackOff",
        {"message": PULL + "NotFound desc = not found"},
        "the image was not found",
    ),
    "the image is named": (
        START,
        "ErrImagePull",
        {"message": "manifest unknown", "image": "acme/etl:2"},
        "acme/etl:2 was not found",
    ),
    "a child that failed": (APP, "ChildFailed", {"message": "the run r-a-1 ended Failed"}, "look at the run that"),
    "a child that was refused": (APP, "ChildRefused", {"message": "no parameter foo"}, "look at the run that"),
    "a child that was stopped": (APP, "ChildCancelled", {}, "look at the run that"),
    "a child that is gone": (INFRA, "ChildGone", {}, "someone deleted what the task had made"),
    "an object that failed": (APP, "ResourceFailed", {"message": "permission denied"}, "its own controller says so"),
    "an object that is gone": (INFRA, "ResourceGone", {}, "someone deleted what the task had made"),
    "an object of that name": (
        LAUNCH,
        "NameTaken",
        {"message": "a Job named x exists already and is not of this task"},
        "make: Apply takes",
    ),
    "a pod of that name": (
        LAUNCH,
        "NameTaken",
        {"message": "a pod named x exists already and is not of this run"},
        "a pod or a run",
    ),
    "no such kind": (LAUNCH, "NoSuchKind", {}, "CustomResourceDefinition"),
    "a manifest that is wrong": (LAUNCH, "ResourceInvalid", {}, "correct resource.manifest"),
    "no pull secret": (START, "ErrImagePull", {"message": "401 Unauthorized"}, "imagePullSecrets"),
    "registry limits": (START, "ErrImagePull", {"message": "toomanyrequests: rate limit"}, "limits how often you pull"),
    "registry away": (START, "ErrImagePull", {"message": "dial tcp: lookup x: no such host"}, "does not answer"),
    "pull, no words": (START, "ImagePullBackOff", {"message": 'Back-off pulling image "x"'}, "can't be pulled"),
    "image's name": (START, "InvalidImageName", {"image": "A:B:C"}, "A:B:C is no valid name"),
    "missing Secret": (
        START,
        "CreateContainerConfigError",
        {"message": 'secret "db" not found'},
        "Secret named in the message",
    ),
    "missing key": (
        START,
        "CreateContainerConfigError",
        {"message": "couldn't find key url in Secret data/db"},
        "the key in it",
    ),
    "image runs as root": (
        START,
        "CreateContainerConfigError",
        {"message": "container has runAsNonRoot and image will run as root"},
        "leave runAsImageUser out",
    ),
    "unschedulable: room": (
        START,
        "Unschedulable",
        {"message": "0/3 nodes are available: 3 Insufficient cpu."},
        "lower resources.requests",
    ),
    "unschedulable: labels": (
        START,
        "Unschedulable",
        {"message": "0/3 nodes: 3 node(s) didn't match Pod's node affinity/selector."},
        "nodeSelector",
    ),
    "unschedulable: taints": (
        START,
        "Unschedulable",
        {"message": "0/1 nodes: 1 node(s) had untolerated taint {gpu: }."},
        "tolerations",
    ),
    "unschedulable: volumes": (
        START,
        "Unschedulable",
        {"message": 'persistentvolumeclaim "x" not found'},
        "kubectl describe pvc",
    ),
    "unschedulable: else": (START, "Unschedulable", {"message": "no"}, "no node takes the pod"),
    "command not found": (
        START,
        "StartError",
        {"message": 'exec: "etl": executable file not found in $PATH', "image": "busybox"},
        "the command is not in busybox",
    ),
    "not executable": (START, "StartError", {"message": "exec /app/run.sh: permission denied"}, "chmod +x"),
    "wrong processor": (START, "StartError", {"message": "exec format error"}, "another processor"),
    "start timeout": (START, "StartTimeout", {}, "startTimeout"),
    "out of memory": (OOM, "OOMKilled", {"memoryLimit": "512Mi"}, "memory limit of 512Mi"),
    "out of memory, no limit": (OOM, "OOMKilled", {}, "the node ran out"),
    "timeout": (TIMEOUT, "DeadlineExceeded", {"timeout": "5m"}, "its timeout of 5m"),
    "evicted for memory": (INFRA, "Evicted", {"message": "low on resource: memory"}, "resources.requests.memory"),
    "evicted for disk": (
        INFRA,
        "Evicted",
        {"message": "Pod ephemeral local storage usage exceeds"},
        "ephemeral-storage",
    ),
    "drained": (INFRA, "Evicted", {"message": "Eviction API: evicting"}, "tried again"),
    "node lost": (INFRA, "NodeLost", {"node": "n7"}, "node n7 does not answer"),
    "deleted": (INFRA, "Deleted", {}, "someone deleted the pod"),
    "infra, else": (INFRA, "SomethingNew", {}, "tried again"),
    "pod security": (
        LAUNCH,
        "Forbidden",
        {"message": 'violates PodSecurity "restricted:latest": privileged'},
        "Pod Security Standard",
    ),
    "service account": (
        LAUNCH,
        "Forbidden",
        {"message": 'error looking up service account data/etl: serviceaccount "etl" not found'},
        "serviceAccountName",
    ),
    "misspelt": (
        LAUNCH,
        "Invalid",
        {"message": 'strict decoding error: unknown field "spec.x"'},
        "correct its spelling",
    ),
    "policy": (LAUNCH, "Forbidden", {"message": "admission webhook denied the request"}, "admission policy"),
    "invalid": (LAUNCH, "Invalid", {"message": "spec.containers[0].image: Required value"}, "names the field"),
    "template": (LAUNCH, "TemplateError", {}, "windlass lint"),
    "outputs": (APP, "OutputsInvalid", {}, "$WINDLASS_OUTPUTS"),
    "large outputs": (APP, "OutputsTooLarge", {"limit": 3072}, "3072 bytes"),
    "git ref": (APP, "GitSyncFailed", {"message": "fatal: couldn't find remote ref nope"}, "source.git.ref"),
    "git login": (
        APP,
        "GitSyncFailed",
        {"message": "fatal: could not read Username for 'https://x'"},
        "source.git.secretName",
    ),
    "git host key": (APP, "GitSyncFailed", {"message": "Host key verification failed."}, "known_hosts"),
    "git host": (APP, "GitSyncFailed", {"message": "fatal: unable to access: Could not resolve host: x"}, "DNS"),
    "git repository": (APP, "GitSyncFailed", {"message": "fatal: repository 'x' not found"}, "source.git.repo"),
    "read-only": (APP, "Error", {"exitCode": 1, "message": "OSError: Read-only file system: '/x'"}, "$HOME"),
    "permission": (
        APP,
        "Error",
        {"exitCode": 1, "message": "PermissionError: [Errno 13] Permission denied", "user": 65532},
        "user 65532, not as root. Does the image want its own user? Set runAsImageUser: true",
    ),
    "a name": (APP, "Error", {"exitCode": 1, "message": "Temporary failure in name resolution"}, "name.namespace"),
    "a module": (APP, "Error", {"exitCode": 1, "message": "ModuleNotFoundError: No module named 'x'"}, "Python module"),
    "127": (APP, "Error", {"exitCode": 127, "message": "sh: etl: not found"}, "exit code 127"),
    "126": (APP, "Error", {"exitCode": 126}, "exit code 126"),
    "137": (APP, "Error", {"exitCode": 137}, "was killed"),
    "143": (APP, "Error", {"exitCode": 143}, "ended by SIGTERM"),
    "a code": (APP, "Error", {"exitCode": 3, "message": "boom"}, "exit code 3"),
}


@pytest.mark.parametrize(("failure", "reason", "detail", "part"), CASES.values(), ids=CASES.keys())
def test_hint(failure: FailureClass, reason: str, detail: dict[str, Any], part: str) -> None:
    told = hint(failure, reason, detail)
    assert part in told
    assert len(told) <= 300


@pytest.mark.parametrize("failure", FailureClass)
def test_there_is_always_a_hint(failure: FailureClass) -> None:
    assert hint(failure, "NeverHeardOf", {})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.failure.value} {row.what}")
def test_every_row_gives_a_hint_without_facts(row: Any) -> None:
    assert row.advice if isinstance(row.advice, str) else row.advice({})


WAITING: dict[str, tuple[str, str | None, str | None, str]] = {
    "nothing to do": ("Running", None, None, ""),
    "as usual": ("Starting", "ContainerCreating", None, ""),
    "no image": ("Starting", "ImagePullBackOff", "x: not found", "was not found: check name and tag"),
    "no node": ("Starting", "Unschedulable", "Insufficient cpu", "lower resources.requests"),
    "a reason never heard of": ("Starting", "Something", "x", ""),
    "quota": ("Queued", "QuotaExceeded", "exceeded quota", "ask for a larger quota"),
    "a template": ("Failed", "TemplateError", "x", "default"),
    "a failure that has attempts": ("Failed", "Error", "x", ""),
}


@pytest.mark.parametrize(("phase", "reason", "message", "part"), WAITING.values(), ids=WAITING.keys())
def test_hint_for_a_task(phase: str, reason: str | None, message: str | None, part: str) -> None:
    told = hint_for(TaskStatus(name="a", phase=TaskPhase(phase), reason=reason, message=message))
    assert part in told
    assert bool(part) == bool(told)


def test_the_hint_of_a_result_knows_its_message_and_exit_code() -> None:
    assert "exit code 126" in hint_of(PodResult(APP, "Error", 126))
    assert "Python module" in hint_of(PodResult(APP, "Error", 1, "No module named 'x'"))
    assert hint_of(PodResult(None, "Completed", 0)) == ""
