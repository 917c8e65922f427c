"""A cluster in a process: the development store, a pretended kubelet, the real informer and the real engine, all on one
virtual clock. Faults are injected between the engine and the store, and the engine may be killed and started again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from support.clock import HostClock, VirtualClock, settle
from support.kubelet import Kubelet, Play, Script, script_of
from support.lookouts import StoreGuests, StoreLookouts
from support.store_api import StoreApi
from windlass import names
from windlass.dev.api.collector import Collector
from windlass.dev.api.store import Store
from windlass.engine.engine import WATCHED, Engine
from windlass.engine.trust import ActionSettings
from windlass.kube.informer import Informer
from windlass.models import crd
from windlass.models.backfill import BackfillStatus
from windlass.models.run import WorkflowRunStatus
from windlass.plan.backfill_types import BackfillView
from windlass.plan.observe import observe
from windlass.plan.types import PodView, Program, RunEvent, RunView
from windlass.resources import ACTIONS, CLAIMS, CRDS, NAMESPACES, PODS, POOLS, RUNS, WORKFLOWS, Resource

Body = dict[str, Any]
NAMESPACE = "data"


class Watcher:
    """Notes what the engine's observer is told."""

    def __init__(self) -> None:
        self.ends: Counter[tuple[str, str]] = Counter()
        self.strays = 0
        self.events: list[tuple[str, str | None]] = []
        self.errors = 0
        self.fired: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()
        """Slots that were missed and skipped."""
        self.delays: list[float | None] = []
        self.depths: list[int] = []
        """Of the queue of runs, as it changed."""

    def slot_fired(self, namespace: str, workflow: str, delay: float | None) -> None:
        self.fired[workflow] += 1
        self.delays.append(delay)

    def slots_passed(self, namespace: str, workflow: str, missed: int, skipped: int) -> None:
        self.passed += Counter(missed=missed, skipped=skipped)

    def backfill_stored(self, backfill: BackfillView, before: BackfillStatus, after: BackfillStatus) -> None:
        if after.phase and after.phase.ended and not (before.phase and before.phase.ended):
            self.ends[backfill.uid, after.phase] += 1

    def queue_changed(self, depth: int) -> None:
        self.depths.append(depth)

    def queue_waited(self, seconds: float) -> None:
        assert seconds >= 0

    def reconciled(self, seconds: float, result: str) -> None:
        self.errors += result == "error"

    def status_stored(
        self, run: RunView, before: WorkflowRunStatus, after: WorkflowRunStatus, program: Program | None
    ) -> None:
        if after.phase and after.phase.ended and not (before.phase and before.phase.ended):
            self.ends[run.uid, after.phase] += 1

    def stray_removed(self, why: str) -> None:
        self.strays += 1

    def event(self, run: Body, event: RunEvent, resource: Resource = RUNS, about: str = "") -> Body:
        self.events.append((event.reason, event.task))
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"e{len(self.events)}", "namespace": run["metadata"]["namespace"]},
            "eventTime": None,
            "reason": event.reason,
            "note": event.note,
            "type": event.type,
            "regarding": {"kind": resource.kind, "name": run["metadata"]["name"]},
        }


def _definition_of(resource: Resource) -> Body:
    """A definition of somebody else's kind, which takes everything."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": resource.version, "served": True, "storage": True, "subresources": {"status": {}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{resource.group}"},
        "spec": {
            "group": resource.group,
            "scope": "Namespaced",
            "names": {"kind": resource.kind, "plural": resource.plural, "singular": resource.kind.lower()},
            "versions": [{**version, "schema": {"openAPIV3Schema": anything}}],
        },
    }


class World:
    """Start it with `async with`; then apply objects and let time pass."""

    foreign: Sequence[Resource] = (
        Resource("sparkoperator.k8s.io", "v1beta2", "sparkapplications", "SparkApplication"),
        Resource("emrcontainers.services.k8s.aws", "v1alpha1", "jobruns", "JobRun"),
    )
    """Kinds of other controllers, which the tests play."""

    def __init__(self, plays: Mapping[str, Play | list[Play]] | None = None, script: Script | None = None) -> None:
        self.clock = VirtualClock()
        self.host = HostClock(self.clock)
        """The clock that the controller reads."""
        self.store = Store(now=self.clock.now)
        for definition in crd.definitions().values():
            self.store.create(CRDS, definition)
        self.store.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        self.kubelet = Kubelet(self.store, self.clock, script or script_of(plays or {}))
        self.watcher = Watcher()
        self.api = StoreApi(self.store, self.clock)
        kinds = {resource.kind: resource for resource in (CLAIMS, POOLS, *self.foreign)}
        for resource in self.foreign:
            self.store.create(CRDS, _definition_of(resource))
        self.lookouts = StoreLookouts(self.store, kinds)
        self.guests = StoreGuests(self.store, kinds)
        self.engine: Engine
        self.informer: Informer[PodView]
        self.starts = 0
        self._acts = 0
        self.collects_every = 0.5
        """Seconds between two looks of the garbage collector."""
        self.actions = ActionSettings(unverified=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._outside: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> World:
        self._outside = {asyncio.create_task(self.kubelet.run()), asyncio.create_task(self._collect_garbage())}
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kubelet.stopped = True
        await self.kill()
        for task in self._outside:
            task.cancel()
        await settle()

    # The controller's process

    async def start(self) -> None:
        """Start a controller, as new: nothing of an earlier one's memory is left."""
        inject = self.api.inject
        self.api = StoreApi(self.store, self.clock)
        self.api.inject = inject
        self.starts += 1
        self.informer = Informer(
            self.api,
            PODS,
            observe,
            label_selector=f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}",
            index=lambda pod: pod.run_uid,
            on_change=lambda old, new: engine.pod_changed(old, new),
            chance=lambda: 0.5,
            monotonic=self.clock.monotonic,
            sleep=self.clock.sleep,
        )
        self.engine = engine = Engine(
            self.api,
            self.informer,
            self.host,
            self.watcher,
            actions=self.actions,
            lookouts=self.lookouts,
            guests=self.guests,
        )
        self._tasks.add(asyncio.create_task(self.informer.run()))
        await self._until_synced()
        for resource in WATCHED:
            self._tasks.add(asyncio.create_task(self._watch(self.engine, self.api, resource)))
        self._tasks.add(asyncio.create_task(self.engine.start()))
        await settle()

    async def kill(self) -> None:
        """End the controller between two instructions."""
        self.api.killed = True
        self.end_engine(self.engine)
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        await settle()

    @staticmethod
    def end_engine(engine: Engine) -> None:
        queues = [engine.queue, engine.scheduler.queue, *(keeper._queue for keeper in engine.keepers.values())]  # type: ignore[attr-defined]
        working = [task for queue in queues for task in queue._tasks]
        for task in (engine._sweeper, engine.scheduler._watch, *working):
            if task is not None:
                task.cancel()

    async def _until_synced(self) -> None:
        for _ in range(100):
            if self.informer.synced or self.api.killed:
                return
            await asyncio.sleep(0)

    async def _watch(self, engine: Engine, api: StoreApi, resource: Resource) -> None:
        async for kind, body in self.store.watch(resource):
            if api.killed:
                return
            if api.watches_open or resource is not RUNS:
                engine.event(resource, kind, body)

    async def _collect_garbage(self) -> None:
        """Owners that are gone take what they own with them, a moment later."""
        collector = Collector(self.store)
        while True:
            collector.collect()
            await self.clock.sleep(self.collects_every)

    # What a user does

    def workflow(self, name: str, spec: Body) -> Body:
        return self.store.create(
            WORKFLOWS,
            {
                "apiVersion": names.API_VERSION,
                "kind": "Workflow",
                "metadata": {"name": name, "namespace": NAMESPACE},
                "spec": spec,
            },
        )

    def run(self, name: str = "r1", **spec: Any) -> Body:
        """Make a run: `workflow="etl"`, or `tasks=[…]` and other fields of a definition of its own."""
        if "workflow" not in spec:
            of_run = {key: spec.pop(key) for key in ("params", "suspend", "stop", "logicalDate") if key in spec}
            spec = {"workflowSpec": spec, **of_run}
        return self.store.create(
            RUNS,
            {
                "apiVersion": names.API_VERSION,
                "kind": "WorkflowRun",
                "metadata": {"name": name, "namespace": NAMESPACE},
                "spec": spec,
            },
        )

    def act(self, verb: str, *tasks: str, run: str = "r1", name: str = "", by: str = "alice", **fields: Any) -> str:
        """Ask for an action on a run; the action's name."""
        self._acts += 1
        spec = {"run": run, "verb": verb, "requestedBy": by, **({"tasks": [*tasks]} if tasks else {}), **fields}
        metadata = {"name": name or f"act{self._acts}", "namespace": NAMESPACE}
        action = {"apiVersion": names.API_VERSION, "kind": "RunAction", "metadata": metadata, "spec": spec}
        return str(self.store.create(ACTIONS, action)["metadata"]["name"])

    def answer(self, action: str) -> tuple[str | None, str]:
        """What became of an action: its phase and message."""
        status = self.store.get(ACTIONS, NAMESPACE, action).get("status") or {}
        return status.get("phase"), status.get("message", "")

    async def answered(self, action: str, seconds: float = 60.0) -> tuple[str | None, str]:
        """Let time pass until the action has its answer."""
        await self.until(lambda: self.answer(action)[0] in ("Applied", "Refused"), seconds)
        return self.answer(action)

    def status(self, name: str = "r1") -> Body:
        """The stored status."""
        status: Body = self.store.get(RUNS, NAMESPACE, name).get("status") or {}
        return status

    def phase(self, name: str = "r1") -> str | None:
        phase: str | None = self.status(name).get("phase")
        return phase

    def task(self, task: str, run: str = "r1") -> Body:
        return next(entry for entry in self.status(run)["tasks"] if entry["name"] == task)

    def phases(self, run: str = "r1") -> dict[str, str]:
        return {entry["name"]: entry["phase"] for entry in self.status(run).get("tasks") or ()}

    def pods(self) -> list[Body]:
        return self.store.list(PODS, NAMESPACE)

    async def until(self, done: Callable[[], bool], seconds: float = 600.0) -> None:
        """Let time pass until `done`; fails when it is not within that time."""
        end = self.clock.monotonic() + seconds
        await settle()
        while not done():
            step = self.clock.next_timer
            assert step is not None and self.clock.monotonic() + step <= end, f"not within {seconds} s: {self.told()}"
            await self.clock.advance(step)

    async def ended(self, run: str = "r1", seconds: float = 3600.0) -> str:
        """Let time pass until the run has ended; its phase."""
        await self.until(lambda: self.phase(run) in ("Succeeded", "Failed", "Cancelled", "Refused"), seconds)
        phase = self.phase(run)
        assert phase is not None
        return phase

    def leftovers(self) -> dict[str, int]:
        """What the engine remembers, by where it does and how much: nothing, when all is over."""
        engine = self.engine
        definitions, slots, queue = engine._reconciler.definitions, engine._shared.slots, engine.queue
        turns, past = engine._shared.turns, engine._shared.past
        parts: dict[str, Any] = {
            f"{type(owner).__name__}.{name}": value
            for owner in (engine, engine.runs, slots, queue, self.informer._store, engine._action_keeper, turns, past)
            for name, value in vars(owner).items()
            if isinstance(value, (dict, set, list)) and name not in ("_revisions_in_use", "_heap")
        }
        parts["locks held"] = [lock for lock in definitions._locks.values() if lock.locked()]
        return {name: len(value) for name, value in parts.items() if len(value)}

    def told(self) -> str:
        """The state of things, for a failed test's message."""
        runs = [(run["metadata"]["name"], run.get("status")) for run in self.store.list(RUNS, NAMESPACE)]
        pods = [(pod["metadata"]["name"], (pod.get("status") or {}).get("phase")) for pod in self.pods()]
        return f"at {self.clock.monotonic()} s: runs {runs}, pods {pods}, errors {self.watcher.errors}"
