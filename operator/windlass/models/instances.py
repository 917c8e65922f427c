"""The instances of a `forEach` in a run's status: one state each while a plan is made, a few hundred bytes when stored.

    states  (a TaskStatus each, None: not begun)  ──stored──▶  counts, and `detail`  ──read──▶  states

What has ended well, or has nothing to tell, is a range of indices by phase, reason and number of attempts. What is
under way with its first attempt is a range too: its pod's name is derived, and tells the rest. Anything else stands in
full.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from pydantic import GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

from windlass.models.common import Model
from windlass.models.foreach import MAX_INSTANCES

if TYPE_CHECKING:
    from windlass.models.run import TaskStatus

SEEN: Final = "seen"
"""Stands for the UID of a pod that was seen, and whose UID was not kept."""
STOPPING: Final = "Stopping"
PLAIN_DETAIL: Final = 1024
"""Characters: a detail as short as this stands as JSON that people can read; a longer one is zlib and base64."""
MAX_TEXTS: Final = 48 * 1024
"""Characters of messages and hints that are kept of the instances of a task."""
_COUNTS: Final = ("running", "starting", "retrying", "succeeded", "failed", "skipped", "cancelled")
_MAX_DETAIL: Final = 8 * 1024 * 1024


class StoredInstances(Model):
    """The instances of a `forEach`."""

    total: int
    """How many there are."""
    running: int | None = None
    """How many have a pod whose main container has started."""
    starting: int | None = None
    """How many have a pod that has not started."""
    retrying: int | None = None
    """How many wait for another attempt."""
    succeeded: int | None = None
    """How many have succeeded."""
    failed: int | None = None
    """How many have failed for good."""
    skipped: int | None = None
    """How many were skipped, since `when` was false for their item."""
    cancelled: int | None = None
    """How many were cancelled."""
    failed_indices: str | None = None
    """Which have failed for good: `7,19,204-210`."""
    digest: str
    """Of the items: they are derived again, and have to be the same."""
    detail: str | None = None
    """What is needed of each instance to go on and to explain: JSON, or where it is long its zlib in base64."""


@dataclass(frozen=True, slots=True, eq=False)
class Instances:
    """The instances of one task. Made by `fresh` and `with_changes`; what is after `items` follows from the states."""

    states: tuple[TaskStatus | None, ...]
    """By index; None: not begun."""
    digest: str
    items: tuple[Any, ...] | None = None
    """What they are for, when it was derived already. Never stored."""
    live: tuple[int, ...] = ()
    """Those with an attempt under way."""
    resting: tuple[int, ...] = ()
    """Those that have begun, have not ended, and have no attempt under way."""
    failed: tuple[int, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many are in each phase, by its name in lower case."""
    output_bytes: int = 0
    """The bytes of their outputs as JSON."""

    @classmethod
    def fresh(cls, items: Iterable[Any], digest: str) -> Instances:
        """None of them has begun."""
        kept = tuple(items)
        return cls((None,) * len(kept), digest, kept)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Instances):
            return NotImplemented
        same = self.digest == other.digest and self.counts == other.counts and len(self.states) == len(other.states)
        return same and self.states == other.states

    __hash__ = None  # type: ignore[assignment]  # it holds lists

    @property
    def open(self) -> tuple[int, ...]:
        """Those that have begun and have not ended."""
        return (*self.live, *self.resting)

    @property
    def total(self) -> int:
        return len(self.states)

    @property
    def stored_bytes(self) -> int:
        """About as much as they take in a status, or more."""
        texts = MAX_TEXTS if len(self.failed) > 20 or len(self.resting) > 20 else 1024 * (len(self.failed) + 1)
        return 512 + self.output_bytes + 60 * len(self.resting) + texts

    @property
    def unbegun(self) -> int:
        """How many have not begun."""
        return self.total - sum(self.counts.values())

    def outputs(self) -> list[Any]:
        """The outputs of each in their order: null where one has not succeeded, {} where it put out nothing."""
        return [None if state is None or state.phase != "Succeeded" else state.outputs or {} for state in self.states]

    def with_changes(self, changes: Mapping[int, TaskStatus | None], items: tuple[Any, ...] | None = None) -> Instances:
        """With these states instead; the very same when there are none."""
        items = self.items if items is None else items
        if not changes and items is self.items:
            return self
        states, counts, size = [*self.states], defaultdict(int, self.counts), self.output_bytes
        for index, after in changes.items():
            before = states[index]
            states[index] = after
            for state, step in ((before, -1), (after, 1)):
                if state is not None:
                    counts[state.phase.value.lower()] += step
                    size += step * _size(state)
        live = _members(self.live, self.states, changes, _is_live)
        resting = _members(self.resting, self.states, changes, _is_resting)
        failed = _members(self.failed, self.states, changes, _has_failed)
        kept = {phase: count for phase, count in counts.items() if count}
        return Instances(tuple(states), self.digest, items, live, resting, failed, kept, size)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: Any, stored: Any) -> Instances:
            return value if isinstance(value, Instances) else decoded(stored(value))

        return core_schema.no_info_wrap_validator_function(
            read,
            handler.generate_schema(StoredInstances),
            serialization=core_schema.plain_serializer_function_ser_schema(encoded),
        )


def _members(
    members: tuple[int, ...],
    states: tuple[TaskStatus | None, ...],
    changes: Mapping[int, TaskStatus | None],
    belongs: Callable[[TaskStatus | None], bool],
) -> tuple[int, ...]:
    """Which instances belong to a group after changes; the very same where none has come or gone."""
    come = [index for index, after in changes.items() if belongs(after) and not belongs(states[index])]
    gone = {index for index, after in changes.items() if belongs(states[index]) and not belongs(after)}
    if gone:
        members = tuple([index for index in members if index not in gone])
    return tuple(sorted((*members, *come))) if come else members


def _is_live(state: TaskStatus | None) -> bool:
    return state is not None and bool(state.attempts) and state.attempts[-1].finished_at is None


def _is_resting(state: TaskStatus | None) -> bool:
    return state is not None and not state.phase.ended and not _is_live(state)


def _has_failed(state: TaskStatus | None) -> bool:
    return state is not None and state.phase == "Failed"


def _size(state: TaskStatus) -> int:
    if not state.outputs:
        return 0
    return len(json.dumps(state.outputs, separators=(",", ":"), ensure_ascii=False).encode(errors="replace"))


@lru_cache(maxsize=1024)
def quiet(phase: str, reason: str | None, attempts: int) -> TaskStatus:
    """The state of an instance that has ended and has no more to tell."""
    from windlass.models.run import TaskPhase, TaskStatus  # a TaskStatus holds Instances, which hold these

    return TaskStatus(name="", phase=TaskPhase(phase), reason=reason, dropped=attempts or None)


# Ranges of indices


def ranges(indices: Iterable[int]) -> str:
    """Growing indices in short: `0-311,313`."""
    parts: list[str] = []
    first = last = -2
    for index in indices:
        if index != last + 1:
            if first >= 0:
                parts.append(str(first) if first == last else f"{first}-{last}")
            first = index
        last = index
    if first >= 0:
        parts.append(str(first) if first == last else f"{first}-{last}")
    return ",".join(parts)


def indices(text: str) -> Iterator[int]:
    """The indices of such a text. ValueError when it is none."""
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        low, high = int(first), int(last or first)
        if not 0 <= low <= high < MAX_INSTANCES:
            raise ValueError(f"{part} is no range of indices")
        yield from range(low, high + 1)


# Stored and read again


def encoded(value: Instances) -> dict[str, Any]:
    """As it stands in the status."""
    made: dict[str, Any] = {"total": value.total}
    made |= {name: value.counts[name] for name in _COUNTS if value.counts.get(name)}
    if value.failed:
        text = ranges(value.failed)
        made["failedIndices"] = text if len(text) <= 512 else text[: text.rfind(",", 0, 500)] + ",…"
    made["digest"] = value.digest
    detail = json.dumps(_detail(value), separators=(",", ":"), ensure_ascii=False)
    if len(detail) > PLAIN_DETAIL:
        detail = base64.b64encode(zlib.compress(detail.encode(errors="replace"), 6)).decode()
    return made | ({"detail": detail} if detail != "{}" else {})


def _detail(value: Instances) -> dict[str, Any]:
    ended: dict[str, list[int]] = defaultdict(list)
    launched: list[int] = []
    seen: list[int] = []
    others: dict[str, Any] = {}
    outputs: list[Any] = []
    texts = MAX_TEXTS
    for index, state in enumerate(value.states):
        if state is None:
            continue
        if state.outputs is not None:
            outputs += [None] * (index - len(outputs))
            outputs.append(state.outputs)
        if state.phase.ended and (texts <= 0 or (not state.attempts and state.message is None)):
            ended[f"{state.phase}/{state.reason or ''}/{_attempts(state)}"].append(index)
        elif _is_first(state):
            launched.append(index)
            if state.attempts[0].uid is not None:
                seen.append(index)
        else:
            made = _full(state)
            others[str(index)], texts = _with_texts(made, texts)
    found = {"ended": {key: ranges(group) for key, group in ended.items()}, "launched": ranges(launched)}
    found |= {"seen": ranges(seen), "others": others, "outputs": outputs}
    return {key: part for key, part in found.items() if part}


def _attempts(state: TaskStatus) -> int:
    return state.attempts[-1].number if state.attempts else state.dropped or 0


def _is_first(state: TaskStatus) -> bool:
    """Under way with its first attempt, as its pod alone can tell."""
    attempts = state.attempts
    return (
        len(attempts) == 1
        and attempts[0].number == 1
        and attempts[0].finished_at is None
        and attempts[0].memory is None
        and state.reason in (None, STOPPING)
        and state.phase in ("Starting", "Running")
    )


def _full(state: TaskStatus) -> dict[str, Any]:
    """A state as JSON. What its pod tells of an attempt under way, and what nobody needs to go on, is left out."""
    made = state.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=set(_NOT_KEPT))
    if _is_live(state):
        last = state.attempts[-1]
        made["attempts"] = [{"number": last.number}]
        made["attempts"][0] |= {"uid": SEEN} if last.uid is not None else {}
        made["attempts"][0] |= {"memory": last.memory} if last.memory is not None else {}
    elif not state.phase.ended:
        for attempt in made.get("attempts", ()):
            for key in _OF_PODS:
                attempt.pop(key, None)
    return made


_NOT_KEPT: Final = frozenset({"name", "outputs", "ready_at", "started_at"})
_OF_PODS: Final = ("pod", "uid", "node", "createdAt", "startedAt")


def _with_texts(made: dict[str, Any], texts: int) -> tuple[dict[str, Any], int]:
    """The JSON of a state with its messages, while there is room for texts: so many characters are left."""
    for part in (made, *made.get("attempts", ())):
        for key in ("message", "hint"):
            if key in part:
                texts -= len(part[key])
                if texts < 0:
                    del part[key]
    return made, texts


def decoded(stored: StoredInstances) -> Instances:
    """What was stored. ValueError says what can't be read."""
    if not 0 <= stored.total <= MAX_INSTANCES:
        raise ValueError(f"{stored.total} is no number of instances")
    detail = _unpacked(stored.detail)
    try:
        changes = dict(_states(detail))
        if changes and max(changes) >= stored.total:
            raise ValueError(f"there is no instance {max(changes)}")
        return Instances((None,) * stored.total, stored.digest).with_changes(changes)
    except ValidationError as error:
        raise ValueError(f"the detail of the instances can't be read: {error.errors()[0]['msg']}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"the detail of the instances can't be read: {error!r:.100}") from error


def _unpacked(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        if not text.startswith("{"):
            unpacker = zlib.decompressobj()
            data = unpacker.decompress(base64.b64decode(text, validate=True), _MAX_DETAIL)
            if not unpacker.eof:
                raise ValueError("it is cut, or too large")
            text = data.decode()
        found = json.loads(text)
    except (binascii.Error, zlib.error, ValueError, RecursionError) as error:
        raise ValueError(f"the detail of the instances can't be read: {error!s:.100}") from error
    if not isinstance(found, dict):
        raise ValueError("the detail of the instances is no object")  # noqa: TRY004  # pydantic wants it
    return found


def _states(detail: Mapping[str, Any]) -> Iterator[tuple[int, TaskStatus]]:
    from windlass.models.run import Attempt, TaskPhase, TaskStatus

    seen = set(indices(detail.get("seen", "")))
    for index in indices(detail.get("launched", "")):
        attempt = Attempt(number=1, uid=SEEN if index in seen else None)
        yield index, TaskStatus(name="", phase=TaskPhase.STARTING, attempts=[attempt])
    outputs = detail.get("outputs", [])
    for key, group in detail.get("ended", {}).items():
        phase, reason, attempts = key.split("/")
        state = quiet(phase, reason or None, int(attempts))
        for index in indices(group):
            put_out = outputs[index] if index < len(outputs) else None
            yield index, state if put_out is None else state.model_copy(update={"outputs": put_out})
    for key, part in detail.get("others", {}).items():
        index = int(key)
        put_out = outputs[index] if index < len(outputs) else None
        yield index, TaskStatus.model_validate({**part, "name": "", "outputs": put_out}, extra="ignore")
