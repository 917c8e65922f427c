"""Objects that tasks make: created, applied and deleted as the task's service account, so that its rights decide."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, Protocol

from windlass import names
from windlass.engine.launch import Launcher
from windlass.engine.ports import Body, Clock
from windlass.engine.record import RunRecord
from windlass.errors import AlreadyExists, ApiError, Conflict, Forbidden, NotFound
from windlass.plan.task_types import ObjectLaunch, ObjectRemoval
from windlass.plan.types import Refusal, RefusalKind
from windlass.resources import Resource

logger = logging.getLogger(__name__)
UNSEEN_FOR: Final = 10.0
"""Seconds within which a lookout has seen what was made; until then its maker's answer stands for it."""
_OURS: Final = (names.LABEL_RUN_UID, names.LABEL_TASK)


class GuestApi(Protocol):
    """The requests that are made as a service account."""

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Body: ...

    async def create(self, resource: Resource, obj: Body) -> Body: ...

    async def apply(self, resource: Resource, obj: Body) -> Body: ...

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        propagation: str | None = None,
    ) -> Body: ...


class Guests(Protocol):
    """Gives them. Both raise windlass.errors.ApiError."""

    async def client(self, namespace: str, service_account: str) -> GuestApi: ...

    async def kind(self, namespace: str, service_account: str, api_version: str, kind: str) -> Resource: ...


class Objects:
    """What a run's reconcile does to the objects of its tasks."""

    def __init__(self, guests: Guests | None, clock: Clock, launcher: Launcher) -> None:
        self._guests = guests
        self._clock = clock
        self._launcher = launcher

    def made(self, record: RunRecord) -> dict[str, Mapping[str, Any]]:
        """The objects that were made a moment ago, by name."""
        now = self._clock.monotonic()
        record.made = {name: made for name, made in record.made.items() if now - made[0] < UNSEEN_FOR}
        return {name: body for name, (_, body) in record.made.items()}

    async def create(self, record: RunRecord, launch: ObjectLaunch) -> Refusal | None:
        """Have the object in the cluster; None when it is, else why not."""
        body = dict(launch.body)
        refused = record.refused.get(launch.key, 0)
        try:
            api, resource = await self._way(record, launch.service_account, body["apiVersion"], body["kind"])
            if not resource.namespaced:
                message = f"{body['kind']} belongs to no namespace: tasks make objects of their own namespace"
                return Refusal(RefusalKind.LAUNCH, "ResourceInvalid", message)
            answer = await (api.apply(resource, body) if launch.apply else api.create(resource, body))
        except AlreadyExists:
            return await self._meet(record, launch)
        except Forbidden as error:
            # The task's own right, not ours: it says which is missing, and is asked for again.
            return self._launcher.put_off(error, refused)
        except NotFound as error:
            return Refusal(RefusalKind.LAUNCH, "NoSuchKind", error.message)
        except ApiError as error:
            return self._launcher.refusal(error, refused)
        record.made[body["metadata"]["name"]] = (self._clock.monotonic(), answer)
        return None

    async def remove(self, record: RunRecord, removal: ObjectRemoval) -> bool:
        """Delete the object. One that is gone, or is another by now, is left. False when that is refused for now: the
        refusal is in the record."""
        question = removal.question
        if question.name is None:
            return True
        record.made.pop(question.name, None)
        try:
            api, resource = await self._way(record, question.service_account, question.api_version, question.kind)
            await api.delete(resource, record.key.namespace, question.name, uid=removal.uid, propagation="Background")
        except (NotFound, Conflict) as error:
            record.log(logger).debug("%s %s is not deleted: %s", question.kind, question.name, error)
        except Forbidden as error:
            record.log(logger).warning("%s %s can't be deleted: %s", question.kind, question.name, error)
            refused = record.refused[removal.key] = record.refused.get(removal.key, 0) + 1
            record.refusals[removal.key] = self._launcher.put_off(error, refused)
            return False
        record.refused.pop(removal.key, None)
        return True

    async def _way(
        self, record: RunRecord, service_account: str, api_version: str, kind: str
    ) -> tuple[GuestApi, Resource]:
        assert self._guests is not None, "an engine whose runs make objects has guests"
        namespace = record.key.namespace
        resource = await self._guests.kind(namespace, service_account, api_version, kind)
        return await self._guests.client(namespace, service_account), resource

    async def _meet(self, record: RunRecord, launch: ObjectLaunch) -> Refusal | None:
        """There is an object of that name: ours, one of an earlier attempt that goes, or somebody else's."""
        body, name = launch.body, launch.body["metadata"]["name"]
        try:
            api, resource = await self._way(record, launch.service_account, body["apiVersion"], body["kind"])
            found = await api.get(resource, record.key.namespace, name)
        except ApiError as error:
            return self._launcher.put_off(error, record.refused.get(launch.key, 0))
        labels, wanted = found["metadata"].get("labels") or {}, body["metadata"]["labels"]
        if any(labels.get(key) != wanted[key] for key in _OURS):
            message = (
                f"a {body['kind']} named {name} exists already and is not of this task: delete it, or name another"
            )
            return Refusal(RefusalKind.LAUNCH, "NameTaken", message)
        if labels.get(names.LABEL_ATTEMPT) != wanted[names.LABEL_ATTEMPT]:
            waits = Conflict(f"the {body['kind']} {name} of the attempt before is still being deleted", 409)
            return self._launcher.put_off(waits, record.refused.get(launch.key, 0))
        record.made[name] = (self._clock.monotonic(), found)
        return None
