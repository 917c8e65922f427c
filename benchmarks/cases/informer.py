"""What an event of a pod costs: from the line on the wire to the change in the cache."""

from __future__ import annotations

import time
from typing import Any

import orjson
from figures import Figure

from cluster import Setting, task
from windlass import names
from windlass.build.pod import Installation, PodRequest, build_pod
from windlass.kube.store import Store
from windlass.models.task import Task
from windlass.plan.observe import observe

EVENTS = 5000


async def measure(setting: Setting) -> list[Figure]:
    count = setting.size(EVENTS)
    lines = [_line(number) for number in range(count)]
    store = Store(observe, lambda pod: pod.run_uid, lambda old, new: None)
    began = time.thread_time()
    for line in lines:
        store.apply(orjson.loads(line)["object"])
    each = (time.thread_time() - began) / count
    details = {"bytes of an event": len(lines[0])}
    return [Figure("an event of a pod, from the wire into the cache", each * 1e6, "µs", details=details)]


def _line(number: int) -> bytes:
    """An event as the API server sends it of a pod that runs."""
    pod = _pod(f"task-{number % 500}")
    pod["metadata"] |= {
        "uid": f"0000-{number % 500}", "resourceVersion": str(number + 1), "creationTimestamp": "2026-01-01T00:00:00Z"
    }  # fmt: skip
    moment = "2026-01-01T00:00:01Z"
    conditions = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    pod["spec"]["nodeName"] = "hollow-0"
    pod["status"] = {
        "phase": "Running",
        "startTime": moment,
        "conditions": [{"type": one, "status": "True", "lastTransitionTime": moment} for one in conditions],
        "containerStatuses": [
            {
                "name": names.MAIN_CONTAINER, "ready": True, "started": True, "restartCount": 0,
                "image": "busybox", "imageID": "", "state": {"running": {"startedAt": moment}}, "lastState": {},
            }
        ],
    }  # fmt: skip
    return orjson.dumps({"type": "MODIFIED", "object": pod})


def _pod(name: str) -> dict[str, Any]:
    request = PodRequest(
        namespace="bench",
        run="run",
        run_uid="uid",
        workflow="run",
        task=name,
        attempt=1,
        pod=names.pod_name("run", "uid", name, 1),
        body=Task.model_validate(task(name)),
        environment={},
        installation=Installation(),
    )
    return build_pod(request)
