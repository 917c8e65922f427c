"""What runs are pinned to: definitions, read live once a run, kept as ControllerRevisions, compiled once each.

    Workflow ──read live──▶ digest of its spec ──▶ ControllerRevision <workflow>-<digest> ──▶ Program
                                                  (made before a run's status names it)

A revision has no owner, so that deleting its Workflow doesn't take the definition from a run in flight; it is
collected here once no run names it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from windlass import names
from windlass.build.revision import build_revision
from windlass.engine.ports import Api, Body, Clock
from windlass.engine.record import created_at
from windlass.errors import AlreadyExists, NotFound
from windlass.models.parse import read_spec
from windlass.plan.graph import compile_program
from windlass.plan.types import Program
from windlass.resources import REVISIONS, WORKFLOWS

logger = logging.getLogger(__name__)

MOST_PROGRAMS: Final = 512
"""Compiled definitions that are kept; those of runs in work are held by their records besides."""
REVISION_AGE: Final = timedelta(minutes=10)
"""A revision younger than this is not collected: the run that it was made for may not name it yet."""


class DefinitionLost(Exception):
    """The revision that a run is pinned to is gone."""


class Definitions:
    """Reads, pins and compiles definitions."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._programs: OrderedDict[tuple[str, str], Program] = OrderedDict()
        self._stored: set[tuple[str, str]] = set()
        self._locks: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def workflow(self, namespace: str, name: str) -> Body | None:
        """The Workflow as it is now, read from the API; None when there is none."""
        try:
            return await self._api.get(WORKFLOWS, namespace, name)
        except NotFound:
            return None

    async def pin(self, namespace: str, workflow: Body) -> str:
        """The name of the revision that holds the Workflow's spec, made if it was not there."""
        revision = _revision(workflow)
        name: str = revision["metadata"]["name"]
        key = (namespace, name)
        async with self._locks[key]:
            if key not in self._stored:
                try:
                    await self._api.create(REVISIONS, revision)
                except AlreadyExists:
                    logger.debug("revision %s/%s is there", *key)
                self._stored.add(key)
        return name

    def known(self, namespace: str, revision: str) -> Program | None:
        """The program of a revision, when it was compiled before."""
        program = self._programs.get((namespace, revision))
        if program is not None:
            self._programs.move_to_end((namespace, revision))
        return program

    def keep(self, namespace: str, revision: str, program: Program) -> None:
        """Keep a compiled revision for the runs to come."""
        self._programs[(namespace, revision)] = program
        if len(self._programs) > MOST_PROGRAMS:
            self._programs.popitem(last=False)

    async def pinned(self, namespace: str, revision: str) -> Program:
        """The program that a run is pinned to. DefinitionLost when its revision is gone or can't be read."""
        program = self.known(namespace, revision)
        if program is not None:
            return program
        try:
            stored = await self._api.get(REVISIONS, namespace, revision)
        except NotFound:
            raise DefinitionLost(f"the ControllerRevision {revision} is gone") from None
        try:
            program = compile_program(read_spec(stored["data"]["spec"]))
        except (ValueError, KeyError, TypeError) as error:
            raise DefinitionLost(f"the ControllerRevision {revision} can't be read: {error}") from None
        self._stored.add((namespace, revision))
        self.keep(namespace, revision, program)
        return program

    async def collect(self, in_use: Callable[[tuple[str, str]], bool], namespace: str | None = None) -> int:
        """Delete the revisions, of a namespace or of all, that no run names; how many those were."""
        selector = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"
        before = self._clock.now() - REVISION_AGE
        collected = 0
        vanished = {key for key in self._stored if namespace in (None, key[0])}
        async for page in self._api.pages(REVISIONS, namespace, label_selector=selector):
            for revision in page:
                meta = revision["metadata"]
                key = (meta["namespace"], meta["name"])
                vanished.discard(key)
                if in_use(key) or created_at(revision) > before:
                    continue
                async with self._locks[key]:
                    if in_use(key):
                        continue
                    self._stored.discard(key)
                    self._programs.pop(key, None)
                    await self._delete(key, meta["uid"])
                collected += 1
        # Somebody else has deleted them: they are made again for the next run.
        self._stored -= vanished
        for key in [key for key, lock in self._locks.items() if not lock.locked() and key not in self._stored]:
            del self._locks[key]
        return collected

    async def _delete(self, key: tuple[str, str], uid: str) -> None:
        try:
            await self._api.delete(REVISIONS, *key, uid=uid)
        except NotFound:
            logger.debug("revision %s/%s was gone already", *key)


def revision_of(workflow: Body) -> str:
    """The name of the revision that holds, or would hold, the Workflow's spec."""
    name: str = _revision(workflow)["metadata"]["name"]
    return name


def _revision(workflow: Body) -> Body:
    meta = workflow["metadata"]
    return build_revision(meta["name"], meta["namespace"], workflow.get("spec") or {})
