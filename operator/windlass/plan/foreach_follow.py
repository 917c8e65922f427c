"""What the pods of instances say: of thousands only those that changed are looked at closely."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from windlass.models.common import parse_time
from windlass.models.instances import STOPPING, quiet
from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.attempts import adopt, cancel, follow, next_number, under_way, vanished
from windlass.plan.draft import Draft
from windlass.plan.foreach_work import Work, settled
from windlass.plan.given_up import NEVER_STARTS
from windlass.plan.retries import next_memory
from windlass.plan.types import Node, PodPhase, PodView

_STARTING: Final = (PodPhase.STARTING, PodPhase.UNSCHEDULED)


def follow_all(work: Work) -> None:
    """Bring all that have a pod up to date with it."""
    pods, states, changes = work.draft.seen.pods, work.before.states, work.changes
    usual = _Usual(work.draft, work.node)
    for index in work.live():
        state = changes[index] if index in changes else states[index]
        assert state is not None, "it is live"
        pod = pods.get(state.attempts[-1].pod or "")
        if pod is None or not usual.goes_on(state, pod):
            work.put(index, state, _followed(work, index, state))
    if usual.due is not None:
        work.draft.wake(usual.due)
    for index in _unrecorded(work):
        before = work.state(index)
        work.put(index, before, _followed(work, index, before or work.fresh()))


def cancel_rest(work: Work) -> None:
    """Those that have no pod are cancelled; the others when theirs have ended."""
    stopping = work.draft.stops(work.node)
    assert stopping is not None, "asked before"
    never = quiet(TaskPhase.CANCELLED.value, stopping.reason, work.first - 1)
    for index in tuple(work.unbegun()):
        work.changes[index] = never
    for index in work.resting():
        state = work.state(index)
        assert state is not None, "it rests"
        work.changes[index] = settled(cancel(state, stopping.reason, work.draft.moment))


def _followed(work: Work, index: int, state: TaskStatus) -> TaskStatus:
    """Take what the pods of this and the next attempts say: several may have come and gone unrecorded."""
    draft, node, pods = work.draft, work.node, work.draft.seen.pods
    told = len(draft.events)
    state = work.named(index, state)
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
        found = pods.get(work.pod(index, next_number(state)))
        if found is None or found.index != index or found.task != node.task.name:
            break
        memory = next_memory(node.task, state.attempts[-1] if state.attempts else None)
        state = adopt(state, found, memory, draft.moment)
    work.hush(told)
    return state


def _unrecorded(work: Work) -> list[int]:
    """Instances for whose next attempt there is a pod, though the status does not say so yet."""
    resting = {*work.before.resting}
    if not resting and not work.before.unbegun:
        return []
    states, total, found = work.before.states, work.before.total, set()
    for pod in work.draft.instance_pods.get(work.node.task.name, ()):
        index = pod.index
        if index is None or index >= total or index in work.changes:
            continue
        state = states[index]
        if state is not None and index not in resting:
            continue
        number = work.first if state is None else next_number(state)
        if pod.attempt == number and pod.name == work.pod(index, number):
            found.add(index)
    return sorted(found)


class _Usual:
    """Tells quickly of which pods nothing has to be noted."""

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
            if self._timeout is None or last.started_at is None or pod.ending:
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
