"""What becomes of a task that is repeated: its instances start, go on, are tried again and end, each as a task would.

Waiting ──ready──▶ no items ──▶ Skipped
   │   └──no list──▶ Failed
   ▼
follow those under way ──▶ adopt pods that nobody recorded ──▶ too many failures? stop ──▶ launch ──▶ count together
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from windlass import names
from windlass.models.common import parse_time
from windlass.models.foreach import MAX_INSTANCES
from windlass.models.instances import SEEN, STOPPING, Instances, quiet
from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.attempts import NEVER_STARTS, adopt, cancel, fail, follow, next_number, under_way, vanished
from windlass.plan.context import task_context
from windlass.plan.draft import Draft, Stopping
from windlass.plan.foreach_ends import hopeless, summary
from windlass.plan.foreach_items import ForEachInvalidError, Place, digest_of, items_of, reads_item
from windlass.plan.pools import POOL_REASONS
from windlass.plan.retries import next_memory
from windlass.plan.templates import TemplateError, render, truth
from windlass.plan.types import Node, PodPhase, PodView

BATCH: Final = 250
"""Instances that one plan starts: then others have their turn, and what has ended meanwhile is taken."""
MOST_TOLD: Final = 10
"""Instances of a task whose failures and retries are told as Events: after them, the task's status has to do."""
INVALID: Final = "ForEachInvalid"
FAIL_FAST: Final = "FailFast"

Launch = Callable[[Draft, Node, TaskStatus, Place], TaskStatus]
"""Makes the pod of an instance's next attempt, or says why not."""


def begin(draft: Draft, node: Node, status: TaskStatus) -> TaskStatus:
    """The task is ready: what it is repeated over is known now, once and for all."""
    try:
        items = _items(draft, node)
        _room(draft, status, len(items))
    except TemplateError as error:
        return fail(draft, status, "TemplateError", str(error))
    except ForEachInvalidError as error:
        return fail(draft, status, INVALID, str(error))
    if not items:
        update = {"phase": TaskPhase.SKIPPED, "reason": "NoItems", "message": "forEach has no items"}
        return status.model_copy(update={**update, "finished_at": draft.moment})
    instances = Instances.fresh(items, digest_of(items))
    return status.model_copy(update={"phase": TaskPhase.QUEUED, "instances": instances})


def advance_instances(draft: Draft, node: Node, status: TaskStatus, launch: Launch) -> TaskStatus:
    """Bring a task whose instances are known as far as it goes now."""
    assert status.instances is not None, "begin has made them"
    known = status.reason if status.reason == "QuotaExceeded" else None
    work = _Work(draft, node, status, status.instances, known=known)
    if not work.halt():
        work.follow_all()
        if work.halt():
            work.follow_all()
    else:
        work.follow_all()
    if draft.stops(node) is not None:
        work.cancel_rest()
    else:
        try:
            work.launch(launch)
        except (TemplateError, ForEachInvalidError) as error:
            reason = INVALID if isinstance(error, ForEachInvalidError) else "TemplateError"
            return _give_up(work, reason, str(error))
    return summary(draft, node, status, work.instances(), work.waits)


def pod_of(draft: Draft, task: str, index: int, state: TaskStatus) -> str:
    """The name of the pod of the latest attempt."""
    attempt = state.attempts[-1]
    run = draft.seen.run
    return attempt.pod or names.pod_name(run.name, run.uid, task, attempt.number, index)


@dataclass(slots=True)
class _Work:
    """One advance of one task's instances."""

    draft: Draft
    node: Node
    status: TaskStatus
    before: Instances
    changes: dict[int, TaskStatus | None] = field(default_factory=dict)
    items: tuple[object, ...] | None = None
    waits: TaskStatus | None = None
    """An instance that can't start now, with the reason."""
    known: str | None = None
    """Why instances wait, as far as it was told already."""

    def state(self, index: int) -> TaskStatus | None:
        return self.changes[index] if index in self.changes else self.before.states[index]

    def instances(self) -> Instances:
        return self.before.with_changes(self.changes, self.items)

    def live(self) -> list[int]:
        """Those with an attempt under way."""
        if not self.changes:
            return [*self.before.live]
        kept = [index for index in self.before.live if index not in self.changes]
        return kept + [index for index, state in self.changes.items() if state is not None and under_way(state)]

    # What their pods say

    def halt(self) -> bool:
        """Stop the rest, if so many have failed that the task can't succeed any more; whether that is new."""
        name = self.node.task.name
        if name in self.draft.halted or not hopeless(self.node, self.instances()):
            return False
        self.draft.halted[name] = Stopping(FAIL_FAST, self.draft.now)
        return True

    def follow_all(self) -> None:
        """Bring all that have a pod up to date with it."""
        pods, states, changes = self.draft.seen.pods, self.before.states, self.changes
        usual = _Usual(self.draft, self.node)
        for index in self.live():
            state = changes[index] if index in changes else states[index]
            assert state is not None, "it is live"
            pod = pods.get(state.attempts[-1].pod or "")
            if pod is None or not usual.goes_on(state, pod):
                self._put(index, state, self._followed(index, state))
        if usual.due is not None:
            self.draft.wake(usual.due)
        for index in self._unrecorded():
            self._put(index, self.state(index), self._followed(index, self.state(index) or self._fresh()))

    def _put(self, index: int, before: TaskStatus | None, after: TaskStatus) -> None:
        if after is before:
            return
        if after.phase.ended:
            self.changes[index] = _settled(after)
        elif after.attempts or after.dropped:
            self.changes[index] = _trimmed(after)
        else:
            self.changes[index] = None

    def _followed(self, index: int, state: TaskStatus) -> TaskStatus:
        """Take what the pods of this and the next attempts say: several may have come and gone unrecorded."""
        draft, node = self.draft, self.node
        told = len(draft.events)
        state = self._named(index, state)
        pods = draft.seen.pods
        while not state.phase.ended:
            if under_way(state):
                attempt = state.attempts[-1]
                pod = pods.get(attempt.pod or "")
                if pod is not None and attempt.uid in (None, pod.uid):
                    before, state = state, follow(draft, node, state, pod)
                    if state is before:
                        break
                elif attempt.uid is not None:
                    state = vanished(draft, node, state)
                else:
                    state = state.model_copy(update={"attempts": state.attempts[:-1], "phase": TaskPhase.QUEUED})
                    break
                if under_way(state):
                    break
                continue
            found = pods.get(self._pod(index, next_number(state)))
            if found is None or found.index != index or found.task != node.task.name:
                break
            memory = next_memory(node.task, state.attempts[-1] if state.attempts else None)
            state = adopt(state, found, memory, draft.moment)
        self._hush(told)
        return state

    def _named(self, index: int, state: TaskStatus) -> TaskStatus:
        """With its name, and that of its pod, which are not stored; and with no UID where it was not kept."""
        name = f"{self.node.task.name}[{index}]"
        if not under_way(state):
            return state if state.name else state.model_copy(update={"name": name})
        last = state.attempts[-1]
        if state.name and last.pod is not None and last.uid != SEEN:
            return state
        pod = pod_of(self.draft, self.node.task.name, index, state)
        found = self.draft.seen.pods.get(pod)
        uid = found.uid if last.uid == SEEN and found is not None else last.uid
        last = last.model_copy(update={"pod": pod, "uid": uid})
        return state.model_copy(update={"name": name, "attempts": [*state.attempts[:-1], last]})

    def _hush(self, told: int) -> None:
        """Take back what is told of one instance when enough was told of others."""
        events = self.draft.events
        if len(events) > told and self._troubled() >= MOST_TOLD:
            del events[told:]

    def _troubled(self) -> int:
        counts = self.before.counts
        new = sum(1 for state in self.changes.values() if state is not None and state.phase in _TROUBLED)
        return counts.get("failed", 0) + counts.get("retrying", 0) + new

    def _unrecorded(self) -> list[int]:
        """Instances for whose next attempt there is a pod, though the status does not say so yet."""
        resting = {*self.before.resting}
        if not resting and not self.before.unbegun:
            return []
        states, total, found = self.before.states, self.before.total, set()
        for pod in self.draft.instance_pods.get(self.node.task.name, ()):
            index = pod.index
            if index is None or index >= total or index in self.changes:
                continue
            state = states[index]
            if state is not None and index not in resting:
                continue
            number = self._first() if state is None else next_number(state)
            if pod.attempt == number and pod.name == self._pod(index, number):
                found.add(index)
        return sorted(found)

    def _pod(self, index: int, number: int) -> str:
        run = self.draft.seen.run
        return names.pod_name(run.name, run.uid, self.node.task.name, number, index)

    def _first(self) -> int:
        """The number of the first attempt of an instance since the task was last sent back."""
        return (self.status.cleared or 0) + 1

    def _fresh(self) -> TaskStatus:
        made = self.status.cleared
        return TaskStatus(name="", phase=TaskPhase.QUEUED, ready_at=self.status.ready_at, dropped=made, cleared=made)

    # What comes next

    def cancel_rest(self) -> None:
        """Those that have no pod are cancelled; the others when theirs have ended."""
        stopping = self.draft.stops(self.node)
        assert stopping is not None, "asked before"
        for index in range(self.before.total):
            state = self.state(index)
            if state is None:
                self.changes[index] = quiet(TaskPhase.CANCELLED.value, stopping.reason, self._first() - 1)
            elif not state.phase.ended and not under_way(state):
                self.changes[index] = _settled(cancel(state, stopping.reason, self.draft.moment))

    def launch(self, launch: Launch) -> None:
        """Start as many as may start now."""
        limit = self.node.task.for_each.max_active if self.node.task.for_each else None
        free = BATCH if limit is None else min(BATCH, limit - len(self.live()))
        places: _Places | None = None
        events = len(self.draft.events)
        for index, before in self._startable():
            if free <= 0:
                if limit is None or len(self.live()) < limit:
                    self.draft.wake(self.draft.now)
                break
            places = places or _Places(self)
            place = places.at(index)
            fresh = self._named(index, before or self._fresh())
            if before is None and not places.wanted(place, fresh):
                self.changes[index] = quiet(TaskPhase.SKIPPED.value, "WhenFalse", self._first() - 1)
                continue
            if self.known is not None:
                fresh = fresh.model_copy(update={"reason": self.known})
            after = launch(self.draft, self.node, fresh, place)
            if under_way(after):
                free -= 1
                self._put(index, before, after)
            elif after.phase.ended:
                self._put(index, before, after)
                self._hush(events)
            elif before is not None and after.retry_at is not None and after.phase is TaskPhase.RETRYING:
                continue
            else:
                self.waits, self.known = after, after.reason
                if before is not None:
                    self._put(index, before, after)
                if after.reason in POOL_REASONS:
                    free -= 1
                elif not self._refused(index, after):
                    break

    def _resting(self) -> list[int]:
        """Those that have begun, have not ended, and have no attempt under way."""
        changed = [index for index, state in self.changes.items() if _rests(state)]
        return [index for index in self.before.resting if index not in self.changes] + changed

    def _startable(self) -> Iterator[tuple[int, TaskStatus | None]]:
        """Those to be tried again first, when that is due; then those that have not begun, in their order."""
        draft = self.draft
        for index in self._resting():
            state = self.state(index)
            if state is None:
                continue
            if state.phase is TaskPhase.RETRYING and state.retry_at is not None:
                due = parse_time(state.retry_at)
                if due > draft.now:
                    draft.wake(due)
                    continue
            yield index, state
        if not self.before.unbegun:
            return
        last = self._last_refused()
        for index, unbegun in enumerate(self.before.states):
            if unbegun is None and self.changes.get(index) is None:
                if last is not None and index > last:
                    return
                yield index, None

    def _last_refused(self) -> int | None:
        """While pods are put off, as by a quota, no more are tried than were: None when none are."""
        refusals = self.draft.seen.refusals
        if not refusals:
            return None
        last = None
        for index, state in enumerate(self.before.states):
            if state is None and self._pod(index, self._first()) in refusals:
                last = index
        return last

    def _refused(self, index: int, state: TaskStatus) -> bool:
        """Whether it is this pod that was put off, and another may yet be taken."""
        return self._pod(index, next_number(state)) in self.draft.seen.refusals


@dataclass(slots=True)
class _Places:
    """What the instances that start now are for."""

    work: _Work
    items: tuple[object, ...] = ()
    context: dict[str, object] = field(default_factory=dict)
    when: str | None = None

    def __post_init__(self) -> None:
        work = self.work
        self.context = _context(work.draft, work.node)
        self.items = work.before.items if work.before.items is not None else self._derived()
        self.when = work.node.task.when if reads_item(work.node.task.when) else None

    def _derived(self) -> tuple[object, ...]:
        items = _items(self.work.draft, self.work.node)
        if digest_of(items) != self.work.before.digest:
            total = self.work.before.total
            raise ForEachInvalidError(
                f"the items of forEach are no longer those that the task began with: it had {total}, and there are "
                f"{len(items)} now; run it again as a whole"
            )
        self.work.items = items
        return items

    def at(self, index: int) -> Place:
        return Place(index, self.items[index], self.context)

    def wanted(self, place: Place, state: TaskStatus) -> bool:
        """Ask `when`, where it is about the item."""
        if self.when is None:
            return True
        try:
            return truth(render({"when": self.when}, place.reads(next_number(state)))["when"])
        except TemplateError as error:
            raise TemplateError(error.problem, self.when, ("when",)) from None


_TROUBLED: Final = (TaskPhase.FAILED, TaskPhase.RETRYING)


def _items(draft: Draft, node: Node) -> tuple[object, ...]:
    assert node.task.for_each is not None, "asked for a forEach only"
    return items_of(node.task.for_each, _context(draft, node))


def _context(draft: Draft, node: Node) -> dict[str, object]:
    outcome = draft.outcome.value if draft.outcome is not None and node.is_finally else None
    return task_context(draft.context, draft.seen.program, node, draft.tasks, 1, outcome)


def _room(draft: Draft, status: TaskStatus, count: int) -> None:
    others = sum(task.instances.total for task in draft.tasks.values() if task.instances and task.name != status.name)
    if others and others + count > MAX_INSTANCES:
        raise ForEachInvalidError(
            f"forEach has {count} items, and the run has {others} instances already: it may have {MAX_INSTANCES} in all"
        )


def _rests(state: TaskStatus | None) -> bool:
    return state is not None and not state.phase.ended and not under_way(state)


class _Usual:
    """Tells quickly of which pods nothing has to be noted; of thousands there are few others at a time."""

    def __init__(self, draft: Draft, node: Node) -> None:
        self._now = draft.now
        self._stopping = draft.stops(node) is not None
        self._timeout = node.timeout
        self._start_timeout = node.start_timeout
        self.due: datetime | None = None
        """When the first of them has had all of its time."""

    def goes_on(self, state: TaskStatus, pod: PodView) -> bool:
        """Whether the state says all that the pod does, and it has time left."""
        last = state.attempts[-1]
        if last.uid != pod.uid or pod.deleting_since is not None or pod.node_lost:
            return False
        if self._stopping:
            return state.reason == STOPPING and pod.ending and pod.phase is not PodPhase.ENDED
        if state.phase is TaskPhase.RUNNING:
            if pod.phase is not PodPhase.RUNNING or state.reason is not None or state.message is not None:
                return False
            if self._timeout is None or last.started_at is None:
                return True
            return self._has_time(parse_time(last.started_at) + self._timeout)
        if pod.phase not in _STARTING or pod.node != last.node or (state.reason or "") != pod.waiting_reason:
            return False
        if pod.waiting_reason in NEVER_STARTS or (state.message or "") != pod.waiting_message:
            return False
        return state.phase is TaskPhase.STARTING and self._has_time(pod.created_at + self._start_timeout)

    def _has_time(self, due: datetime) -> bool:
        if due <= self._now:
            return False
        if self.due is None or due < self.due:
            self.due = due
        return True


_STARTING: Final = (PodPhase.STARTING, PodPhase.UNSCHEDULED)


def _settled(state: TaskStatus) -> TaskStatus:
    """What is kept of an instance that has ended: why it failed, or how many attempts it took."""
    if state.phase is TaskPhase.FAILED:
        return _trimmed(state)
    number = next_number(state) - 1
    kept = quiet(state.phase.value, state.reason, number)
    return kept if state.outputs is None else kept.model_copy(update={"outputs": state.outputs})


def _trimmed(state: TaskStatus) -> TaskStatus:
    """With its latest attempt; the earlier ones are counted."""
    if len(state.attempts) <= 1:
        return state
    dropped = (state.dropped or 0) + len(state.attempts) - 1
    return state.model_copy(update={"attempts": state.attempts[-1:], "dropped": dropped})


def _give_up(work: _Work, reason: str, message: str) -> TaskStatus:
    """The task can't go on: what runs of it is ended, and it fails."""
    work.draft.halted[work.node.task.name] = Stopping(reason, work.draft.now)
    work.follow_all()
    work.cancel_rest()
    made = summary(work.draft, work.node, work.status, work.instances(), None)
    if not made.phase.ended:
        return made
    return fail(work.draft, made, reason, message)
