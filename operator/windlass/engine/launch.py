"""Making pods: a name that is derived, a create that may be repeated, and an answer for every way it can end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from windlass import names
from windlass.backoff import full_jitter
from windlass.build.pod import Installation, PodRequest
from windlass.engine.ports import Api, Body, Clock, Pods
from windlass.engine.record import RunRecord
from windlass.errors import AlreadyExists, ApiError, NotFound, NotPermitted, Refused
from windlass.names import workspace_claim_name
from windlass.plan.types import Launch, Program, Refusal, RefusalKind
from windlass.resources import PODS

LEAST_WAIT: Final = 0.25
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 60.0


class Launcher:
    """Creates pods, and adopts those that an earlier, unheard create has made."""

    def __init__(self, api: Api, pods: Pods, clock: Clock, chance: Callable[[], float]) -> None:
        self._api = api
        self._pods = pods
        self._clock = clock
        self._chance = chance

    async def launch(self, launch: Launch, manifest: Body, refused_before: int) -> Refusal | None:
        """Have the pod of `launch` in the cluster; None when it is, else why not.

        `refused_before` counts how often in a row this pod was put off, and so how long the next wait is.
        """
        try:
            if launch.recreate and (found := await self._read(manifest)) is not None:
                return self._adopt(launch, manifest, found)
            self._pods.note(await self._api.create(PODS, manifest))
        except AlreadyExists:
            return await self._meet(launch, manifest, refused_before)
        except ApiError as error:
            return self.refusal(error, refused_before)
        return None

    def refusal(self, error: ApiError, refused_before: int) -> Refusal:
        """What the API's answer means for a pod that was wanted."""
        if isinstance(error, Refused) and not isinstance(error, NotPermitted):
            return Refusal(RefusalKind.LAUNCH, error.reason or type(error).__name__, error.message)
        return self.put_off(error, refused_before)

    async def _meet(self, launch: Launch, manifest: Body, refused_before: int) -> Refusal | None:
        try:
            found = await self._read(manifest)
        except ApiError as error:
            return self.put_off(error, refused_before)
        if found is None:
            return self.put_off(NotFound("the pod of that name vanished while it was read", 404), refused_before)
        return self._adopt(launch, manifest, found)

    async def _read(self, manifest: Body) -> Body | None:
        try:
            return await self._api.get(PODS, manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        except NotFound:
            return None

    def _adopt(self, launch: Launch, manifest: Body, found: Body) -> Refusal | None:
        if not same_attempt(found, manifest):
            message = f"a pod named {launch.pod} exists already and is not of this run: delete it, then run again"
            return Refusal(RefusalKind.LAUNCH, "NameTaken", message)
        self._pods.note(found)
        return None

    def put_off(self, error: ApiError, refused_before: int) -> Refusal:
        """What is to be tried again later, whatever the answer was."""
        wait = LEAST_WAIT + full_jitter(
            refused_before + 1,
            first=FIRST_WAIT,
            last=LONGEST_WAIT,
            chance=self._chance(),
            retry_after=error.retry_after,
        )
        retry_at = self._clock.now() + timedelta(seconds=wait)
        return Refusal(RefusalKind.WAIT, type(error).__name__, error.message, retry_at)


def same_attempt(found: Body, wanted: Body) -> bool:
    """Whether a pod that was found is the one that was wanted: of the same run, by UID, task, instance and attempt."""
    labels, wanted_labels = (obj["metadata"].get("labels") or {} for obj in (found, wanted))
    return owner_uid(found) == owner_uid(wanted) and all(
        labels.get(key) == wanted_labels.get(key) for key in (names.LABEL_TASK, names.LABEL_INDEX, names.LABEL_ATTEMPT)
    )


def owner_uid(pod: Body) -> str | None:
    """The UID of the object that controls the pod."""
    owners = pod["metadata"].get("ownerReferences") or []
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)


def pod_request(record: RunRecord, program: Program, launch: Launch, installation: Installation) -> PodRequest:
    """What the pod of `launch` is built from."""
    source, workspace = program.spec.source, program.spec.workspace
    return PodRequest(
        namespace=record.key.namespace,
        run=record.key.name,
        run_uid=record.uid,
        workflow=record.view().workflow,
        task=launch.task,
        attempt=launch.attempt,
        pod=launch.pod,
        body=launch.body,
        environment=launch.environment,
        index=launch.index,
        memory=launch.memory,
        source=source.git if source else None,
        commit=record.draft.source.commit if record.draft.source else None,
        workspace=workspace,
        claim=workspace_claim_name(record.key.name, record.uid) if workspace else None,
        installation=installation,
    )
