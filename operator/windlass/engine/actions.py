"""The RunActions of the cluster: those that wait are handed to the reconcile of their run, then answered and removed.

    seen ──▶ waiting, by run ──▶ reconcile: applied to the draft ──▶ status of the run stored, the action's UID in it
                                                                           │
    removed ◀── an hour later ── answered, from that record  ◀─────────────┘

Whatever is lost by a crash in between is found again: an action without an answer is listed and handed over once more,
and a run that remembers its UID only repeats the answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from windlass.engine.keepers import ObjectKey
from windlass.engine.ports import Api, Body, Clock
from windlass.engine.queue import BesideRuns, KeyedQueue, QueueObserver
from windlass.engine.record import RunKey, created_at, version_of
from windlass.engine.trust import REFUSAL, ActionSettings, Trust
from windlass.errors import ApiError, Conflict, NotFound
from windlass.models.action import ActionPhase, RunActionStatus
from windlass.models.common import format_time, parse_time
from windlass.models.findings import summary
from windlass.models.parse import InvalidObject, read_action
from windlass.plan.action_types import Action
from windlass.resources import ACTIONS

logger = logging.getLogger(__name__)
RUN_PATIENCE: Final = timedelta(minutes=1)
"""How long an action waits for its run: `kubectl apply -f dir/` has no order."""
MOST_UNTOLD: Final = 16
"""Answers of one run that are not written yet: no action is applied beyond them, for a run remembers only so many."""
MOST_TASKS: Final = 100
_ANSWERED: Final = (ActionPhase.APPLIED.value, ActionPhase.REFUSED.value)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An action without an answer."""

    key: ObjectKey
    run: RunKey
    action: Action
    order: tuple[str, int, str]
    """Those that came first go first."""


class ActionKeeper:
    """Takes RunActions as they are seen, and answers them."""

    def __init__(
        self,
        api: Api,
        clock: Clock,
        observer: QueueObserver,
        settings: ActionSettings,
        wake: Callable[[RunKey], None],
    ) -> None:
        self._api = api
        self._clock = clock
        self._settings = settings
        self._trust = Trust(api, clock, settings)
        self._wake = wake
        self._waiting: dict[ObjectKey, _Waiting] = {}
        self._by_run: dict[RunKey, set[ObjectKey]] = {}
        self._answers: dict[ObjectKey, tuple[str, RunKey | None, RunActionStatus]] = {}
        self._expired: dict[ObjectKey, str] = {}
        self._queue: KeyedQueue[ObjectKey] = KeyedQueue(
            self._work, clock, BesideRuns(observer), concurrency=8, fields=lambda key: {"action": str(key)}
        )

    async def stop(self) -> None:
        """Finish the answers under way."""
        await self._queue.close()

    # The keeper of a kind

    def seen(self, body: Body) -> None:
        """Take an action as a watch or a list gave it."""
        key, uid = ObjectKey.of(body), body["metadata"]["uid"]
        known = self._waiting.get(key)
        if known is not None and known.action.uid != uid:
            self._forget(key)
            known = None
        if _phase(body) in _ANSWERED or "deletionTimestamp" in body["metadata"]:
            self._forget(key)
            return
        if known is not None:
            return
        if key in self._answers:
            if self._answers[key][0] == uid:
                return
            del self._answers[key]
        try:
            spec = read_action(body)
        except InvalidObject as error:
            self._tell(key, uid, None, ActionPhase.REFUSED, summary(error.findings, 1024))
            return
        run = RunKey(key.namespace, spec.run)
        made = created_at(body)
        order = (made.isoformat(), version_of(body), key.name)
        self._waiting[key] = _Waiting(key, run, Action(uid, key.name, spec, made), order)
        self._by_run.setdefault(run, set()).add(key)
        self._wake(run)

    def gone(self, body: Body) -> None:
        """Take an action's deletion: one that was not applied yet is withdrawn."""
        key = ObjectKey.of(body)
        self._forget(key)
        self._answers.pop(key, None)
        self._expired.pop(key, None)
        self._queue.forget(key)

    def listed(self, bodies: Mapping[ObjectKey, Body], namespace: str | None) -> None:
        """Take all actions, of a namespace or of the cluster; those that were answered long ago are removed."""
        for key in [key for key in self._waiting if namespace in (None, key.namespace) and key not in bodies]:
            self._forget(key)
        before = self._clock.now() - self._settings.keep
        for key, body in bodies.items():
            self.seen(body)
            answered = (body.get("status") or {}).get("appliedAt") if _phase(body) in _ANSWERED else None
            if answered is not None and _is_before(answered, before):
                self._expired[key] = body["metadata"]["uid"]
                self._queue.add(key)

    # For the reconcile of a run

    def has(self, run: RunKey) -> bool:
        """Whether an action waits for this run."""
        return run in self._by_run

    async def waiting(self, run: RunKey) -> list[Action]:
        """The actions that are to be applied to a run, in their order. Those that nobody vouches for are refused."""
        keys = self._by_run.get(run, ())
        untold = sum(1 for _, of, _ in self._answers.values() if of == run)
        found = sorted((self._waiting[key] for key in keys), key=lambda one: one.order)
        accepted: list[Action] = []
        for one in found[: max(0, MOST_UNTOLD - untold)]:
            verified = await self._trust.verified(one.action.created_at)
            if verified or self._settings.unverified:
                accepted.append(replace(one.action, verified=verified))
            elif one.key in self._waiting:
                self._refuse(one, REFUSAL)
        return accepted

    def answer(self, run: RunKey, uid: str, run_uid: str, applied: bool, message: str, tasks: Iterable[str]) -> None:
        """Tell an action what became of it; if it was applied, the run's stored status says so."""
        for key in self._by_run.get(run, ()):
            one = self._waiting[key]
            if one.action.uid == uid:
                phase = ActionPhase.APPLIED if applied else ActionPhase.REFUSED
                self._forget(key)
                self._tell(key, uid, run, phase, message, run_uid, list(tasks)[:MOST_TASKS])
                return

    def refuse_all(self, run: RunKey, message: str) -> None:
        """Refuse what waits for a run that can't be acted on."""
        for key in tuple(self._by_run.get(run, ())):
            self._refuse(self._waiting[key], message)

    def without_run(self, run: RunKey) -> float | None:
        """What waits for a run that is not there goes on waiting, for a while; when to look again, in seconds."""
        after = None
        for key in tuple(self._by_run.get(run, ())):
            one = self._waiting[key]
            left = (one.action.created_at + RUN_PATIENCE - self._clock.now()).total_seconds()
            if left <= 0:
                self._refuse(one, f"there is no run {run.name} in the namespace {run.namespace}")
            else:
                after = left if after is None else min(after, left)
        return after

    def _refuse(self, one: _Waiting, message: str) -> None:
        self._forget(one.key)
        self._tell(one.key, one.action.uid, one.run, ActionPhase.REFUSED, message)

    def _forget(self, key: ObjectKey) -> None:
        one = self._waiting.pop(key, None)
        if one is None:
            return
        self._by_run[one.run].discard(key)
        if not self._by_run[one.run]:
            del self._by_run[one.run]

    def _tell(
        self,
        key: ObjectKey,
        uid: str,
        run: RunKey | None,
        phase: ActionPhase,
        message: str,
        run_uid: str | None = None,
        tasks: list[str] | None = None,
    ) -> None:
        status = RunActionStatus(
            phase=phase,
            message=message,
            applied_at=format_time(self._clock.now()),
            run_uid=run_uid,
            tasks=tasks or [],
        )
        self._answers[key] = (uid, run, status)
        self._queue.add(key)

    async def _work(self, key: ObjectKey) -> float:
        if (answer := self._answers.get(key)) is not None:
            uid, run, status = answer
            await self._write(key, uid, status)
            if self._answers.get(key) is answer:
                del self._answers[key]
            if run is not None and self.has(run):
                self._wake(run)
        elif (expired := self._expired.pop(key, None)) is not None:
            await self._remove(key, expired)
        if key not in self._answers:
            self._queue.forget(key)
        return 0.0

    async def _write(self, key: ObjectKey, uid: str, status: RunActionStatus) -> None:
        told = status.model_dump(mode="json", by_alias=True, exclude_none=True)
        try:
            await self._api.patch(ACTIONS, *key, {"metadata": {"uid": uid}, "status": told}, subresource="status")
        except NotFound:
            logger.debug("action %s was deleted", key)
        except Conflict:
            if (await self._api.get(ACTIONS, *key))["metadata"]["uid"] == uid:
                raise
            logger.debug("action %s was made anew", key)
        else:
            logger.info("action %s was %s: %s", key, status.phase.lower(), status.message)

    async def _remove(self, key: ObjectKey, uid: str) -> None:
        try:
            await self._api.delete(ACTIONS, *key, uid=uid)
        except (Conflict, NotFound) as error:
            logger.debug("action %s was gone already: %s", key, error)
        except ApiError:
            self._expired[key] = uid
            raise


def _phase(body: Body) -> str | None:
    status = body.get("status")
    return status.get("phase") if isinstance(status, dict) else None


def _is_before(text: str, moment: datetime) -> bool:
    try:
        return parse_time(text) <= moment
    except (TypeError, ValueError):
        return False
