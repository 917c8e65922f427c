"""All pods of the development cluster: each gets a worker; what changes in the store is passed on to it."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from windlass.dev import git_sync
from windlass.dev.api.store import Store
from windlass.dev.pods.claims import Claims
from windlass.dev.pods.container import Machine, PodHome
from windlass.dev.pods.host import probe
from windlass.dev.pods.logs import ContainerLog, LogOptions, generations, read_log
from windlass.dev.pods.node import MAX_PODS, NODE_NAME, build_node
from windlass.dev.pods.objects import CONFIG_MAPS, SECRETS, Objects
from windlass.dev.pods.removal import remove_tree
from windlass.dev.pods.slots import Slots
from windlass.dev.pods.status import broken, disrupted
from windlass.dev.pods.strays import kill_strays
from windlass.dev.pods.worker import PodWorker, was_started
from windlass.engine.ports import Clock
from windlass.errors import Gone, Invalid, NotFound
from windlass.resources import CLAIMS, NODES, PODS, Resource

Body = dict[str, Any]
KUBELET_VERSION: Final = "v1.35.4+windlass-dev"
logger = logging.getLogger(__name__)
STOP_GRACE: Final = 1.0
"""Seconds that programs have to end when the whole cluster stops."""


class HostUnfit(Exception):
    """This machine can't run pods; the message says what to install."""


class PodRunner:
    """Scheduler, kubelet and storage provisioner for `store`. Files are kept below `state_dir`."""

    def __init__(self, store: Store, state_dir: Path, clock: Clock) -> None:
        self._objects = Objects(store)
        self._clock = clock
        self._state = state_dir.resolve()
        self._claims: Claims | None = None
        self._machine: Machine | None = None
        self._workers: dict[str, PodWorker] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._watches: list[asyncio.Task[None]] = []
        self._removals: set[asyncio.Task[None]] = set()

    @property
    def shared(self) -> Path:
        """The directory that all pods see at its own path, to read and to write."""
        return self._state / "shared"

    async def start(self) -> None:
        """Take over the pods of the store. Raises HostUnfit before anything is started."""
        host = await asyncio.to_thread(probe)
        if isinstance(host, str):
            raise HostUnfit(host)
        self._pods.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(kill_strays, self._pods)
        self.shared.mkdir(exist_ok=True)
        program = self._state / "git-sync"
        shutil.copyfile(git_sync.__file__, program)
        program.chmod(0o755)
        self._machine = Machine(host, self._clock, (self._state,), self.shared, program, Slots(MAX_PODS))
        self._claims = Claims(self._objects, self._state / "volumes")
        self._register_node()
        self._clean_up()
        self._watches = [
            asyncio.create_task(self._watch(PODS), name="pods"),
            *(asyncio.create_task(self._watch(one), name=one.plural) for one in (CLAIMS, CONFIG_MAPS, SECRETS)),
        ]

    async def stop(self) -> None:
        """End all processes. Their pods are found to be lost at the next start."""
        for task in self._watches:
            task.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        for worker in self._workers.values():
            worker.abandon(STOP_GRACE)
        await asyncio.gather(*self._running.values(), *self._removals, return_exceptions=True)

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str | None = None,
        *,
        follow: bool = False,
        tail_lines: int | None = None,
        timestamps: bool = False,
        since: datetime | None = None,
        limit_bytes: int | None = None,
        previous: bool = False,
    ) -> AsyncIterator[bytes]:
        """What a container wrote. Raises NotFound and Invalid by this call, in the API server's words."""
        body = self._objects.find(PODS, namespace, pod)
        if body is None:
            raise NotFound(f'pods "{pod}" not found', 404, "NotFound")
        name = container or _only_container(body)
        status = _status_of(body, name)
        restarts = (status or {}).get("restartCount", 0) - (1 if previous else 0)
        path = self._home(body).log(name, restarts)
        if status is None or not generations(path):
            raise _no_log(pod, name, status, previous)
        options = LogOptions(follow, tail_lines, timestamps, since, limit_bytes)
        return read_log(path, None if previous else self._live_log(body, name), options)

    # What happens in the store

    async def _watch(self, resource: Resource) -> None:
        while True:
            try:
                async for kind, body in self._objects.store.watch(resource):
                    self._changed(resource, kind, body)
            except Gone:
                continue
            except OSError:
                logger.exception("watching %s", resource.plural)

    def _changed(self, resource: Resource, kind: str, body: Body) -> None:
        if resource is PODS:
            self._pod_changed(kind, body)
            return
        for worker in self._workers.values():
            if worker.pod["metadata"]["namespace"] == body["metadata"]["namespace"]:
                worker.nudge()
        if resource is CLAIMS and kind == "DELETED":
            self._sweep_claims()

    def _pod_changed(self, kind: str, pod: Body) -> None:
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if kind == "DELETED":
            if worker is not None:
                worker.end(0)
            else:
                self._remove(self._pods / uid)
        elif worker is not None:
            worker.update(pod)
        elif pod["metadata"].get("deletionTimestamp"):
            if pod["metadata"].get("deletionGracePeriodSeconds"):
                self._objects.remove_pod(pod)
        elif _is_new(pod):
            self._launch(pod)

    def _launch(self, pod: Body) -> None:
        if self._machine is None or self._claims is None:
            return
        uid = pod["metadata"]["uid"]
        worker = PodWorker(pod, self._objects, self._claims, self._home(pod), self._machine)
        self._workers[uid] = worker
        self._running[uid] = asyncio.create_task(self._run(uid, worker), name=f"pod {pod['metadata']['name']}")

    async def _run(self, uid: str, worker: PodWorker) -> None:
        try:
            await worker.run()
        except Exception as error:
            # One pod that can't be run, a full disk say, must not stop the others, nor wait in silence.
            logger.exception("pod %s", worker.pod["metadata"]["name"])
            worker.kill()
            self._fail(worker.pod, error)
        finally:
            del self._workers[uid], self._running[uid]
        if worker.abandoned:
            return
        if worker.claimed:
            self._sweep_claims()
        pod = self._objects.same(PODS, worker.pod)
        if pod is None:
            self._remove(worker.home.path)
            return
        if pod["metadata"].get("deletionTimestamp"):
            self._objects.remove_pod(pod)
        for path in worker.home.used_up():
            self._remove(path)

    def _fail(self, pod: Body, error: Exception) -> None:
        latest = self._objects.same(PODS, pod)
        if latest is not None:
            self._objects.write_status(latest, broken(latest, error))

    # Files

    @property
    def _pods(self) -> Path:
        return self._state / "pods"

    def _home(self, pod: Body) -> PodHome:
        return PodHome(self._pods / pod["metadata"]["uid"])

    def _remove(self, path: Path) -> None:
        if path.exists():
            task = asyncio.create_task(asyncio.to_thread(remove_tree, path))
            self._removals.add(task)
            task.add_done_callback(self._removals.discard)

    def _sweep_claims(self) -> None:
        if self._claims is not None:
            self._claims.sweep({path for worker in self._workers.values() for path in worker.claimed})

    def _live_log(self, pod: Body, container: str) -> ContainerLog | None:
        worker = self._workers.get(pod["metadata"]["uid"])
        found = next((one for one in worker.containers if one.state.name == container), None) if worker else None
        return found.log if found else None

    # The start

    def _register_node(self) -> None:
        node = build_node(KUBELET_VERSION, self._clock.now())
        self._objects.create_once(NODES, node)
        stored = self._objects.find(NODES, None, NODE_NAME)
        if stored is not None:
            self._objects.write(NODES, {**stored, "status": node["status"]})

    def _clean_up(self) -> None:
        """What ran when the cluster ended is lost, as on a node that went down; what nobody owns is removed."""
        known = set()
        for pod in self._objects.store.list(PODS):
            known.add(pod["metadata"]["uid"])
            if was_started(pod) and pod["status"].get("phase") in {"Pending", "Running"}:
                self._objects.write(PODS, {**pod, "status": disrupted(pod, self._clock.now())})
                for path in self._home(pod).used_up():
                    self._remove(path)
        for path in self._pods.iterdir():
            if path.name not in known:
                self._remove(path)
        self._sweep_claims()


def _is_new(pod: Body) -> bool:
    placed = pod["spec"].get("nodeName")
    ours = (
        placed in (None, "", NODE_NAME) and pod["spec"].get("schedulerName", "default-scheduler") == "default-scheduler"
    )
    return ours and (pod.get("status") or {}).get("phase", "Pending") == "Pending"


def _only_container(pod: Body) -> str:
    names = [one["name"] for one in pod["spec"]["containers"]]
    annotated = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container")
    if len(names) > 1 and annotated not in names:
        choices = " ".join(names)
        said = f"a container name must be specified for pod {pod['metadata']['name']}, choose one of: [{choices}]"
        raise Invalid(said, 400, "BadRequest")
    return str(annotated) if annotated in names else str(names[0])


def _status_of(pod: Body, container: str) -> Body | None:
    spec, status = pod["spec"], pod.get("status") or {}
    if container not in [one["name"] for part in ("containers", "initContainers") for one in spec.get(part) or []]:
        raise Invalid(f"container {container} is not valid for pod {pod['metadata']['name']}", 400, "BadRequest")
    found = [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]
    return next((one for one in found if one["name"] == container), None)


def _no_log(pod: str, container: str, status: Body | None, previous: bool) -> Invalid:
    if previous:
        said = f'previous terminated container "{container}" in pod "{pod}" not found'
    else:
        reason = (((status or {}).get("state") or {}).get("waiting") or {}).get("reason", "ContainerCreating")
        said = f'container "{container}" in pod "{pod}" is waiting to start: {reason}'
    return Invalid(said, 400, "BadRequest")
