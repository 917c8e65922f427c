"""Plays a whole run against the planner: pods that start, end and get lost, a clock of its own, and crashes.

A crash forgets everything but what a real controller would find again: the stored status and the pods. The world
checks on the way what must never happen, and raises AssertionError when it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from windlass.models.run import FailureClass, RunPhase, TaskPhase, WorkflowRunSpec, WorkflowRunStatus
from windlass.models.workflow import WorkflowSpec
from windlass.plan.graph import compile_program
from windlass.plan.run import plan_run
from windlass.plan.types import EndHow, Launch, Plan, PodPhase, PodResult, PodView, Program, Refusal, RunView, Seen

START = datetime(2025, 4, 1, 17, 0, 0, tzinfo=UTC)
UID = "0a1b2c3d-0000-0000-0000-000000000001"
OK = PodResult(None, "Completed", 0)


def app_failure(code: int = 1, message: str = "boom") -> PodResult:
    """The program ended with this exit code."""
    return PodResult(FailureClass.APP, "Error", code, message)


def infra_failure(reason: str = "Evicted") -> PodResult:
    """The pod was evicted."""
    return PodResult(FailureClass.INFRA, reason, None, "the node was low on resource: memory")


def workflow(tasks: list[dict], **fields: object) -> WorkflowSpec:
    """A definition; tasks without anything to run get a script, but for those with `join: True`."""
    return WorkflowSpec.model_validate({"tasks": [_task(task) for task in tasks], **_finals(fields)})


def _finals(fields: dict) -> dict:
    if "finally" in fields:
        fields["finally"] = [_task(task) for task in fields["finally"]]
    return fields


def _task(task: dict) -> dict:
    task = dict(task)
    if task.pop("join", False):
        return task
    if not {"script", "command", "args", "image"} & set(task):
        task["script"] = "true"
    return task


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the pod of an attempt does: how long it takes to start and to run, and how it ends."""

    result: PodResult = OK
    run: timedelta = timedelta(seconds=5)
    start: timedelta = timedelta(seconds=1)
    lost: bool = False
    """It is removed by force while it runs, with its result."""
    never_starts: bool = False


Script = Callable[[str, int], Behaviour]
"""The behaviour of each attempt, by task (`task[7]` for an instance of a forEach) and number."""


def who(pod: PodView) -> str:
    """Whose pod it is."""
    return pod.task if pod.index is None else f"{pod.task}[{pod.index}]"


def always(result: PodResult = OK) -> Script:
    """All attempts end so."""
    return lambda _task, _attempt: Behaviour(result)


@dataclass(slots=True)
class World:
    """The API server, the kubelet and an engine that does at once what plans say."""

    spec: WorkflowSpec
    script: Script = field(default_factory=always)
    run_spec: WorkflowRunSpec = field(default_factory=WorkflowRunSpec)
    limit: int | None = None
    now: datetime = START
    pods: dict[str, PodView] = field(default_factory=dict)
    stored: WorkflowRunStatus = field(default_factory=WorkflowRunStatus)
    draft: WorkflowRunStatus = field(default_factory=WorkflowRunStatus)
    launched: list[Launch] = field(default_factory=list)
    created: dict[str, int] = field(default_factory=dict)
    refuse: Callable[[Launch, int], Refusal | None] = lambda _launch, _tries: None
    refusals: dict[str, Refusal] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    endings: list[tuple[str, str]] = field(default_factory=list)
    events: list[tuple[str, str | None]] = field(default_factory=list)
    reasons: set[tuple[RunPhase | TaskPhase | None, str | None]] = field(default_factory=set)
    """Every phase and reason that a status ever had."""
    plans: int = 0
    writes: int = 0
    forgotten: bool = False
    workspace: str = "none"
    _program: Program | None = None
    _serial: int = 0
    _planned_for: dict[str, PodView] = field(default_factory=dict)

    @property
    def program(self) -> Program:
        if self._program is None:
            self._program = compile_program(self.spec)
        return self._program

    def view(self) -> RunView:
        return RunView(
            namespace="data", name="sales-1", uid=UID, generation=1, created_at=START, spec=self.run_spec,
            status=self.draft, workflow="sales",
        )  # fmt: skip

    def seen(self, gone: Iterable[str] = ()) -> Seen:
        live = sum(1 for pod in self.pods.values() if pod.phase is not PodPhase.ENDED)
        free = None if self.limit is None else max(0, self.limit - live)
        self._planned_for = dict(self.pods)
        return Seen(self.view(), self.program, dict(self.pods), dict(self.refusals), frozenset(gone), free)

    def plan(self) -> Plan:
        """Plan until nothing has to be read live, and check that an equal input gives an equal plan."""
        gone: set[str] = set()
        for pod, refusal in list(self.refusals.items()):
            if refusal.retry_at is not None and refusal.retry_at <= self.now:
                del self.refusals[pod]
        while True:
            seen = self.seen(gone)
            plan = plan_run(seen, self.now)
            self.plans += 1
            if not plan.confirm:
                return plan
            gone.update(name for name in plan.confirm if name not in self.pods)
            self.draft = plan.status

    def step(self, crash_at: int | None = None) -> Plan:
        """One reconcile: plan and apply. A crash comes after that many of the plan's actions."""
        for _ in range(50):
            plan = self.plan()
            actions = self._actions(plan)
            for number, action in enumerate(actions):
                if crash_at is not None and number >= crash_at:
                    self.crash()
                    return plan
                action()
            if not (plan.launches and self.refusals and any(launch.pod in self.refusals for launch in plan.launches)):
                return plan
        raise AssertionError("the planner does not come to rest")

    def _actions(self, plan: Plan) -> list[Callable[[], None]]:
        def take_draft() -> None:
            self.draft = plan.status
            self.reasons.add((plan.status.phase, plan.status.reason))
            self.reasons.update((task.phase, task.reason) for task in plan.status.tasks)
            self.events += [(event.reason, event.task) for event in plan.events]
            launch_answers = {name for name, refusal in self.refusals.items() if refusal.retry_at is None}
            self.refusals = {name: it for name, it in self.refusals.items() if name not in launch_answers}

        def store() -> None:
            if self.draft is not self.stored:
                self.stored = self.draft
                self.writes += 1

        actions: list[Callable[[], None]] = [take_draft]
        if plan.create_workspace:
            actions.append(lambda: setattr(self, "workspace", "made"))
        actions += [lambda launch=launch: self.create(launch) for launch in plan.launches]
        actions.append(store)
        actions += [lambda name=name: self.release(name) for name in plan.releases]
        actions += [lambda e=e: self.end(e.pod, e.uid, e.how, e.why) for e in plan.endings]
        if plan.delete_workspace:
            actions.append(lambda: setattr(self, "workspace", "deleted"))
        if plan.forget:
            actions.append(lambda: setattr(self, "forgotten", True))
        return actions

    def crash(self) -> None:
        """The controller is killed: its draft and what it knew of refusals are lost."""
        self.draft = self.stored
        self.refusals = {}

    def create(self, launch: Launch) -> None:
        """What the API server does with a create."""
        status = self.stored
        assert not (status.phase and status.phase.ended), f"{launch.pod} created after the run's end"
        self.tries[launch.pod] = self.tries.get(launch.pod, 0) + 1
        refusal = self.refuse(launch, self.tries[launch.pod])
        if refusal is not None:
            self.refusals[launch.pod] = refusal
            return
        if launch.pod in self.pods:
            return
        self._serial += 1
        self.created[launch.pod] = self.created.get(launch.pod, 0) + 1
        self.launched.append(launch)
        self.pods[launch.pod] = PodView(
            namespace="data", name=launch.pod, uid=f"pod-{self._serial}", version=1, workflow="sales", run="sales-1",
            run_uid=UID, task=launch.task, index=launch.index, attempt=launch.attempt, phase=PodPhase.UNSCHEDULED,
            created_at=self.now, held=True,
        )  # fmt: skip

    def release(self, name: str) -> None:
        """The finalizer comes off: the result must be in the stored status, or the pod be nobody's."""
        pod = self.pods.get(name)
        if pod is None or not pod.held:
            return
        step = self.stored.source.step if self.stored.source else None
        if pod.index is not None:
            self._check_instance(pod)
        for task in [*self.stored.tasks, *([step] if step else [])]:
            for attempt in task.attempts:
                if attempt.pod == name and attempt.uid in (None, pod.uid):
                    assert attempt.finished_at is not None, f"{name} released before its result was stored"
        self.pods[name] = replace(pod, held=False)
        self._collect(name)

    def _check_instance(self, pod: PodView) -> None:
        for task in self.stored.tasks:
            if task.name == pod.task and task.instances is not None and not task.phase.ended:
                state = task.instances.states[pod.index or 0]
                if state is not None and state.attempts and state.attempts[-1].number == pod.attempt:
                    ended = state.attempts[-1].finished_at is not None
                    assert ended, f"{pod.name} released before its result was stored"

    def end(self, name: str, uid: str, how: EndHow, why: str) -> None:
        pod = self.pods.get(name)
        if pod is None or pod.uid != uid:
            return
        self.endings.append((name, why))
        if how is EndHow.DEADLINE:
            self.pods[name] = replace(pod, ending=True)
            return
        self.delete(name, force=how is EndHow.FORCE)

    def delete(self, name: str, *, force: bool = False) -> None:
        """Somebody deletes a pod."""
        pod = self.pods[name]
        if pod.deleting_since is None:
            pod = replace(pod, deleting_since=self.now)
        if (force or pod.node is None) and pod.phase is not PodPhase.ENDED:
            pod = self._ended(pod, PodResult(FailureClass.INFRA, "Deleted", message="the pod was deleted"))
        self.pods[name] = pod
        self._collect(name)

    def vanish(self, name: str) -> None:
        """The pod goes with its finalizer: someone forced it."""
        self.pods.pop(name, None)

    def _collect(self, name: str) -> None:
        pod = self.pods[name]
        if pod.deleting_since is not None and not pod.held and pod.phase is PodPhase.ENDED:
            del self.pods[name]

    def _ended(self, pod: PodView, result: PodResult) -> PodView:
        return replace(
            pod,
            phase=PodPhase.ENDED,
            finished_at=self.now,
            result=result,
            terminal=True,
            waiting_reason="",
            waiting_message="",
        )

    def tick(self) -> None:
        """What the scheduler and the kubelet do at this moment."""
        for name, pod in list(self.pods.items()):
            if pod.phase is PodPhase.ENDED:
                continue
            what = self.script(who(pod), pod.attempt)
            if pod.phase is PodPhase.UNSCHEDULED and not what.never_starts and self.now >= pod.created_at + what.start:
                pod = replace(pod, phase=PodPhase.RUNNING, node="node-1", started_at=self.now)
            if pod.phase is PodPhase.RUNNING and pod.ending:
                pod = self._ended(pod, PodResult(FailureClass.TIMEOUT, "DeadlineExceeded", 137))
            elif pod.phase is PodPhase.RUNNING and pod.deleting_since is not None:
                pod = self._ended(pod, PodResult(FailureClass.INFRA, "Deleted", 143, "the pod was deleted"))
            elif pod.phase is PodPhase.RUNNING and pod.started_at is not None and self.now >= pod.started_at + what.run:
                if what.lost:
                    del self.pods[name]
                    continue
                pod = self._ended(pod, what.result)
            self.pods[name] = pod
            self._collect(name)

    def next_moment(self, wake_at: datetime | None) -> datetime:
        """When something happens next."""
        moments = [] if wake_at is None else [wake_at]
        if self.pods != self._planned_for:
            moments.append(self.now)
        for pod in self.pods.values():
            what = self.script(who(pod), pod.attempt)
            if pod.phase is PodPhase.UNSCHEDULED and not what.never_starts:
                moments.append(pod.created_at + what.start)
            if pod.phase is PodPhase.RUNNING and pod.started_at is not None:
                moments.append(self.now if pod.ending or pod.deleting_since else pod.started_at + what.run)
        assert moments, f"nothing will ever happen again: {self.draft}"
        return max(self.now + timedelta(milliseconds=1), min(moments))

    def reconcile(self) -> bool:
        """Reconcile once and let time pass; whether the run is forgotten."""
        plan = self.step()
        if not self.forgotten:
            self.now = self.next_moment(plan.wake_at)
            self.tick()
        return self.forgotten

    def play(self, crashes: dict[int, int] | None = None, limit: int = 2000) -> WorkflowRunStatus:
        """Until the run is forgotten. `crashes` says at which reconciles to crash, after how many actions."""
        for number in range(limit):
            plan = self.step((crashes or {}).get(number))
            if crashes and number in crashes:
                continue
            if self.forgotten:
                return self.stored
            self.now = self.next_moment(plan.wake_at)
            self.tick()
        raise AssertionError(f"the run does not end: {self.draft}")

    def play_until(self, done: Callable[[World], bool], limit: int = 500) -> Plan:
        """Until `done` holds after a reconcile."""
        for _ in range(limit):
            plan = self.step()
            if done(self):
                return plan
            self.now = self.next_moment(plan.wake_at)
            self.tick()
        raise AssertionError(f"it never comes to that: {self.draft}")

    def phases(self) -> dict[str, str]:
        """The phase of each task."""
        return {task.name: task.phase.value for task in self.draft.tasks}
