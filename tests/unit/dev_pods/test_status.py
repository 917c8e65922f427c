"""The phase of a pod from its containers, and what others wrote into its status."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from windlass.dev.pods.status import ContainerState, Role, final_message, phase_of, pod_status

NOW = datetime(2025, 4, 1, tzinfo=UTC)
WAIT: dict[str, Any] = {"waiting": {"reason": "ContainerCreating"}}
RUN: dict[str, Any] = {"running": {"startedAt": "2025-04-01T00:00:00Z"}}
GOOD: dict[str, Any] = {"terminated": {"exitCode": 0}}
BAD: dict[str, Any] = {"terminated": {"exitCode": 1}}

PHASES = {
    "nothing started": ([], [], [WAIT], "Never", "Pending"),
    "an init container runs": ([RUN], [], [WAIT], "Never", "Pending"),
    "an init container failed": ([BAD], [], [WAIT], "Never", "Failed"),
    "an init container failed and will start again": ([BAD], [], [WAIT], "OnFailure", "Pending"),
    "a sidecar has not started": ([GOOD], [WAIT], [WAIT], "Never", "Pending"),
    "one of two waits": ([], [], [RUN, WAIT], "Never", "Pending"),
    "all run": ([GOOD], [RUN], [RUN, RUN], "Never", "Running"),
    "one of two has failed": ([], [], [BAD, RUN], "Never", "Running"),
    "all ended well": ([], [RUN], [GOOD, GOOD], "Never", "Succeeded"),
    "a sidecar failed": ([], [BAD], [GOOD], "Never", "Succeeded"),
    "one failed": ([], [], [GOOD, BAD], "Never", "Failed"),
    "one failed and will start again": ([], [], [GOOD, BAD], "OnFailure", "Running"),
    "all will start again": ([], [], [GOOD], "Always", "Running"),
}


def states(inits: list[Any], sidecars: list[Any], mains: list[Any]) -> list[ContainerState]:
    parts = ((Role.INIT, inits), (Role.SIDECAR, sidecars), (Role.MAIN, mains))
    return [ContainerState(f"{role.name}{n}", "x", role, state) for role, some in parts for n, state in enumerate(some)]


@pytest.mark.parametrize(("inits", "sidecars", "mains", "policy", "phase"), PHASES.values(), ids=PHASES.keys())
def test_phase(inits: list[Any], sidecars: list[Any], mains: list[Any], policy: str, phase: str) -> None:
    assert phase_of(states(inits, sidecars, mains), policy) == phase


def test_what_others_wrote_and_since_when_it_holds_is_kept() -> None:
    before = "2024-01-01T00:00:00Z"
    theirs = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": before}
    placed = {"type": "PodScheduled", "status": "True", "lastTransitionTime": before}
    ready = {"type": "Ready", "status": "False", "lastTransitionTime": before}
    old = {"status": {"qosClass": "Burstable", "conditions": [theirs, placed, ready]}}
    status = pod_status(old, states([], [], [RUN]), "Running", NOW, NOW)
    since = {one["type"]: one["lastTransitionTime"] for one in status["conditions"]}
    assert since == {
        "PodReadyToStartContainers": "2025-04-01T00:00:00Z",
        "Initialized": "2025-04-01T00:00:00Z",
        "Ready": "2025-04-01T00:00:00Z",
        "ContainersReady": "2025-04-01T00:00:00Z",
        "PodScheduled": before,
        "DisruptionTarget": before,
    }
    assert status["qosClass"] == "Burstable"


MESSAGES = {
    "short": (b"abc", 1, "abc"),
    "the end of a long one": (b"x" * 5000 + b"end", 1, "x" * 4093 + "end"),
    "the beginning of that where many containers share": (b"x" * 5000 + b"end", 4, "x" * 3072),
    "no text": (b"a\xff", 1, "a\ufffd"),
}


@pytest.mark.parametrize(("data", "containers", "message"), MESSAGES.values(), ids=MESSAGES.keys())
def test_message(data: bytes, containers: int, message: str) -> None:
    assert final_message(data, containers) == message
