"""Which instances start now: those that are to be tried again, then those that have not begun, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from windlass.models.common import parse_time
from windlass.models.instances import quiet
from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.attempts import next_number, under_way
from windlass.plan.context import task_context
from windlass.plan.draft import Draft
from windlass.plan.foreach_items import ForEachInvalidError, Place, digest_of, items_of, reads_item
from windlass.plan.foreach_work import Work
from windlass.plan.pools import POOL_REASONS
from windlass.plan.templates import TemplateError, render, truth
from windlass.plan.types import Node, RefusalKind

BATCH: Final = 250
"""Instances that one plan starts: then others have their turn, and what has ended meanwhile is taken."""
PROBES: Final = 8
"""Instances that try their luck at a time while the API takes no more pods, as under a quota."""
_OURS: Final = frozenset({None, "Suspended", "MaxActiveTasks", "Stopping", "BackingOff", *POOL_REASONS})
"""Reasons to wait that are not the API's."""

Launch = Callable[[Draft, Node, TaskStatus, Place], TaskStatus]
"""Makes the pod of an instance's next attempt, or says why not."""


def items_now(draft: Draft, node: Node) -> tuple[Any, ...]:
    """What the instances of a task are for. TemplateError, ForEachInvalidError where that can't be said."""
    assert node.task.for_each is not None, "asked for a forEach only"
    return items_of(node.task.for_each, _context(draft, node))


def launch_all(work: Work, launch: Launch) -> None:
    """Start as many as may start now."""
    places: _Places | None = None
    candidates = _startable(work)
    put_off = _put_off(work)
    free = _free(work, put_off)
    events, done = len(work.draft.events), 0
    for index, before in candidates:
        waits = index in put_off
        if (free <= 0 and not waits) or done >= BATCH:
            if done and not put_off:
                _go_on_at_once(work)
            break
        places = places or _Places(work)
        after = _tried(work, launch, places, index, before)
        work.hush(events)
        if after is None:
            done += 1
            continue
        if under_way(after) or after.phase.ended:
            free -= under_way(after)
            done += 1
            work.put(index, before, after)
            continue
        work.waits = after
        if before is not None:
            work.put(index, before, after)
        if after.reason in POOL_REASONS:
            free -= 1
        elif not waits:
            break


def _tried(work: Work, launch: Launch, places: _Places, index: int, before: TaskStatus | None) -> TaskStatus | None:
    """An instance after the try to start it; None when it is not wanted."""
    state = work.named(index, before or work.fresh())
    place = places.at(index)
    if before is None and not places.wanted(place, next_number(state)):
        work.changes[index] = quiet(TaskPhase.SKIPPED.value, "WhenFalse", work.first - 1)
        return None
    known = work.waits.reason if work.waits is not None else work.status.reason
    if known not in _OURS:
        # Why they wait was told already, and is not told of each.
        state = state.model_copy(update={"reason": known})
    return launch(work.draft, work.node, state, place)


def _free(work: Work, put_off: set[int]) -> int:
    """How many may be started by this plan."""
    limit = work.node.task.for_each.max_active if work.node.task.for_each else None
    live = len(work.live())
    # As many as there are, so that a quota that is used up is met by few.
    free = min(BATCH, max(2 * PROBES, live))
    if limit is not None:
        free = min(free, limit - live)
    if put_off or work.status.reason not in _OURS:
        free = min(free, PROBES - len(put_off))
    return max(0, free)


def _go_on_at_once(work: Work) -> None:
    """Plan again for the next batch, where it is the batch that has kept others from starting."""
    limit = work.node.task.for_each.max_active if work.node.task.for_each else None
    if limit is None or len(work.live()) < limit:
        work.draft.in_haste = True
        work.draft.wake(work.draft.now)


def _startable(work: Work) -> Iterator[tuple[int, TaskStatus | None]]:
    for index in work.resting():
        state = work.state(index)
        if state is not None and state.phase is TaskPhase.RETRYING and state.retry_at is not None:
            due = parse_time(state.retry_at)
            if due > work.draft.now:
                work.draft.wake(due)
                continue
        yield index, state
    for index in work.unbegun():
        yield index, None


def _put_off(work: Work) -> set[int]:
    """Those whose pod the API has not taken, and that are to wait until they try again."""
    waiting = {
        pod
        for pod, refusal in work.draft.seen.refusals.items()
        if refusal.kind is RefusalKind.WAIT and (refusal.retry_at is None or refusal.retry_at > work.draft.now)
    }
    if not waiting:
        return set()
    # Pods are tried in the order of the instances, so that those put off are among the first.
    first = islice(work.unbegun(), BATCH + PROBES)
    found = {index for index in first if work.pod(index, work.first) in waiting}
    for index in work.resting():
        state = work.state(index)
        if state is not None and work.pod(index, next_number(state)) in waiting:
            found.add(index)
    return found


class _Places:
    """What the instances that start now are for."""

    def __init__(self, work: Work) -> None:
        self._context = _context(work.draft, work.node)
        self._items = work.before.items if work.before.items is not None else _derived(work)
        self._when = work.node.task.when if reads_item(work.node.task.when) else None

    def at(self, index: int) -> Place:
        return Place(index, self._items[index], self._context)

    def wanted(self, place: Place, number: int) -> bool:
        """Ask `when`, where it is about the item."""
        if self._when is None:
            return True
        try:
            return truth(render({"when": self._when}, place.reads(number))["when"])
        except TemplateError as error:
            raise TemplateError(error.problem, self._when, ("when",)) from None


def _derived(work: Work) -> tuple[Any, ...]:
    """The items again, after they were forgotten: they are not stored."""
    items = items_now(work.draft, work.node)
    if digest_of(items) != work.before.digest:
        raise ForEachInvalidError(
            f"the items of forEach are no longer those that the task began with: there were {work.before.total}, and "
            f"there are {len(items)} now; clear the task to run it over them"
        )
    work.items = items
    return items


def _context(draft: Draft, node: Node) -> Mapping[str, Any]:
    outcome = draft.outcome.value if draft.outcome is not None and node.is_finally else None
    return task_context(draft.context, draft.seen.program, node, draft.tasks, 1, outcome)
