"""Requests for pods, by the name of what is special about them."""

from __future__ import annotations

from typing import Any, Final

from windlass.build.pod import Installation, PodRequest
from windlass.models.task import Task
from windlass.models.workflow import GitSource, Workspace
from windlass.names import SOURCE_STEP

UID: Final = "2f6e1c0a-7b58-4d0e-9a52-b1c1f8a7d001"
COMMIT: Final = "3f2a9d0c5b8e417f6a1d2c3b4a5968778695a4b3"


def request(fields: dict[str, Any], **more: Any) -> PodRequest:
    """A request for the first attempt of a task `load`, with these fields."""
    usual: dict[str, Any] = {
        "namespace": "data",
        "run": "daily-sales-x7k2p",
        "run_uid": UID,
        "workflow": "daily-sales",
        "task": "load",
        "attempt": 1,
        "pod": "daily-sales-x7k2p-load-5f1d2c3b-1",
        "body": Task.model_validate({"name": "load", **fields}),
        "environment": {"WINDLASS_TRIGGER": "Manual", "WINDLASS_LOGICAL_DATE": "2025-04-01T17:00:00Z"},
    }
    return PodRequest(**{**usual, **more})


GIT: Final = GitSource(repo="https://git.example.com/acme/pipelines.git", ref="main", path="sales")
PRIVATE: Final = GitSource(repo="https://git.example.com/acme/pipelines.git", secret_name="git-credentials")
SSH: Final = GitSource(
    repo="git@git.example.com:acme/pipelines.git", secret_name="git-key", depth=0, submodules="Off", mount_path="/code"
)
FOLLOWED: Final = GitSource(repo="https://git.example.com/acme/pipelines.git", follow=True, period="1m30s")
SOURCE_BODY: Final = Task.model_validate({"name": SOURCE_STEP, "nodeSelector": {"pool": "batch"}})

REQUESTS: Final[dict[str, PodRequest]] = {
    "command": request({"image": "busybox:1", "command": ["echo", "hello"], "args": ["$(WINDLASS_RUN)"]}),
    "script-sh": request({"script": 'echo "$HOME" $$ $(date) $(WINDLASS_RUN)\n'}),
    "script-bash": request({"script": "set | head -1", "interpreter": "bash", "image": "debian:12"}),
    "script-python": request({"script": "print('$5')", "interpreter": "python"}),
    "dollars-in-values": request(
        {"script": "true"}, environment={"WINDLASS_ITEM": '"$(WINDLASS_RUN) $$"'}, workflow="w" * 49, run="r" * 70
    ),
    "env": request(
        {
            "script": "true",
            "env": [
                {"name": "HOME", "value": "/home/me"},
                {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
            ],
            "envFrom": [{"configMapRef": {"name": "settings"}}],
            "logTail": False,
        }
    ),
    "every-field": request(
        {
            "image": "registry.example.com/etl:3",
            "imagePullPolicy": "Always",
            "imagePullSecrets": [{"name": "registry"}],
            "command": ["etl"],
            "ports": [{"containerPort": 8080}],
            "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
            "volumes": [{"name": "cache", "emptyDir": {}}],
            "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
            "labels": {"team": "data", "windlass.dev/task": "forged"},
            "annotations": {"example.com/note": "x"},
            "nodeSelector": {"disk": "ssd"},
            "affinity": {"nodeAffinity": {}},
            "tolerations": [{"key": "batch", "operator": "Exists"}],
            "serviceAccountName": "etl",
            "automountServiceAccountToken": True,
            "priorityClassName": "low",
            "schedulerName": "other",
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}],
            "dnsConfig": {"searches": ["example.com"]},
            "dnsPolicy": "Default",
            "runtimeClassName": "gvisor",
            "terminationGracePeriod": "1m0.5s",
            "workingDir": "/cache",
        }
    ),
    "init-and-sidecar": request(
        {
            "script": "true",
            "initContainers": [{"name": "migrate", "image": "migrate:1", "securityContext": {"runAsUser": 0}}],
            "sidecars": [{"name": "proxy", "image": "proxy:1", "env": [{"name": "PORT", "value": "5432"}]}],
        }
    ),
    "memory-grown": request(
        {"script": "true", "resources": {"requests": {"memory": "512Mi", "cpu": "1"}, "limits": {"memory": "1Gi"}}},
        memory="1536Mi",
        attempt=2,
    ),
    "memory-without-limit": request(
        {"script": "true", "resources": {"requests": {"memory": "300M"}}}, memory="450M", attempt=2
    ),
    "image-user": request({"image": "postgres:17", "runAsImageUser": True}, source=GIT, commit=COMMIT),
    "privileged": request({"image": "tool:1", "securityContext": {"privileged": True, "runAsUser": 0}}),
    "capability": request({"image": "tool:1", "securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}}),
    "git": request({"script": "true"}, source=GIT, commit=COMMIT),
    "git-working-dir": request({"script": "true", "workingDir": "reports/../etl"}, source=GIT, commit=COMMIT),
    "git-password": request({"script": "true"}, source=PRIVATE, commit=COMMIT),
    "git-ssh": request({"script": "true"}, source=SSH, commit=COMMIT),
    "git-follow": request({"script": "true"}, source=FOLLOWED, commit=COMMIT),
    "source-step": request(
        {}, task=SOURCE_STEP, body=SOURCE_BODY, source=PRIVATE, workspace=Workspace(), claim="daily-sales-x7k2p-ws"
    ),
    "workspace": request(
        {
            "script": "true",
            "affinity": {
                "podAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "topology.kubernetes.io/zone"}
                    ]
                }
            },
        },
        workspace=Workspace(mount_path="/data"),
        claim="daily-sales-x7k2p-ws",
    ),
    "workspace-many": request(
        {"script": "true"}, workspace=Workspace(access_modes=["ReadWriteMany"]), claim="daily-sales-x7k2p-ws"
    ),
    "template": request(
        {
            "script": "true",
            "tolerations": [{"key": "batch", "operator": "Exists"}],
            "podTemplate": {
                "metadata": {
                    "labels": {"team": "data", "windlass.dev/run": "forged"},
                    "annotations": {"sidecar.istio.io/inject": "false"},
                },
                "spec": {
                    "hostNetwork": False,
                    "tolerations": [{"key": "spot", "operator": "Exists"}],
                    "securityContext": {"fsGroup": 2000},
                    "containers": [
                        {"name": "main", "env": [{"name": "HOME", "value": "/data"}], "stdin": True},
                        {"name": "helper", "image": "helper:1"},
                    ],
                },
            },
        }
    ),
    "installation": request(
        {}, installation=Installation("mirror/python:3", "mirror/git-sync:4", {}), source=GIT, commit=COMMIT
    ),
}
