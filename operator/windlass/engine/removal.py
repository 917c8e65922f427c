"""Ending, releasing and removing pods: each request names the pod's UID, so that no other can be meant."""

from __future__ import annotations

import contextlib
import logging
from typing import Final

from windlass import names
from windlass.engine.launch import owner_uid
from windlass.engine.ports import Api, Body, Observer, Pods
from windlass.errors import ApiError, Conflict, NotFound, Retryable
from windlass.loglines import of_run
from windlass.plan.types import EndHow, PodEnding, PodView
from windlass.resources import PODS

logger = logging.getLogger(__name__)
STRATEGIC: Final = "application/strategic-merge-patch+json"


class Remover:
    """What is done to pods that exist."""

    def __init__(self, api: Api, pods: Pods, observer: Observer) -> None:
        self._api = api
        self._pods = pods
        self._observer = observer

    async def release(self, pod: PodView) -> None:
        """Take off the finalizer that kept the pod until its result was stored."""
        body = {"metadata": {"uid": pod.uid, "$deleteFromPrimitiveList/finalizers": [names.RESULT_FINALIZER]}}
        await self._patch(pod, body, STRATEGIC)

    async def end(self, pod: PodView, ending: PodEnding) -> None:
        """End the pod's processes, or remove it, as `ending` says."""
        level = logging.DEBUG if ending.why == "Retention" else logging.INFO
        _about(pod).log(level, "ending the pod: %s (%s)", ending.how, ending.why)
        if ending.why == "Stray":
            self._observer.stray_removed(ending.why)
        if ending.how is EndHow.DEADLINE:
            body = {"metadata": {"uid": pod.uid}, "spec": {"activeDeadlineSeconds": 1}}
            await self._patch(pod, body, STRATEGIC)
            return
        await self.delete(pod, grace_period=0 if ending.how is EndHow.FORCE else None)

    async def delete(self, pod: PodView, grace_period: int | None = None) -> None:
        """Delete the pod; it goes when its finalizer is off."""
        try:
            answer = await self._api.delete(PODS, pod.namespace, pod.name, uid=pod.uid, grace_period=grace_period)
        except (NotFound, Conflict) as error:
            await self._missed(pod, error)
            return
        if answer.get("kind") == "Pod":
            self._pods.note(answer)

    async def remove(self, pod: PodView) -> None:
        """Let go of a pod whose run is no more."""
        if pod.deleting_since is None:
            await self.delete(pod)
        if pod.held:
            await self.release(pod)

    async def remove_hidden(self, pod: Body, run_uid: str) -> None:
        """Let go of a pod that can't be followed any more, since somebody took our label off it."""
        meta = pod["metadata"]
        label = (meta.get("labels") or {}).get(names.LABEL_MANAGED_BY)
        if owner_uid(pod) != run_uid or label == names.MANAGED_BY:
            return
        run = (meta.get("labels") or {}).get(names.LABEL_RUN, "")
        log = of_run(logger, meta["namespace"], run, run_uid, pod=meta["name"])
        log.warning("a pod lost its label and can't be followed: it is deleted")
        self._observer.stray_removed("Hidden")
        place = (PODS, meta["namespace"], meta["name"])
        body = {"metadata": {"uid": meta["uid"], "$deleteFromPrimitiveList/finalizers": [names.RESULT_FINALIZER]}}
        with contextlib.suppress(NotFound, Conflict):
            await self._api.delete(*place, uid=meta["uid"])
            await self._api.patch(*place, body, content_type=STRATEGIC)

    async def _patch(self, pod: PodView, body: Body, content_type: str) -> None:
        try:
            answer = await self._api.patch(PODS, pod.namespace, pod.name, body, content_type=content_type)
        except (NotFound, Conflict) as error:
            await self._missed(pod, error)
            return
        self._pods.note(answer)

    async def _missed(self, pod: PodView, error: ApiError) -> None:
        """Forget a pod that is gone. A conflict says so, if another has its name; or that others wrote to it."""
        if isinstance(error, Conflict):
            try:
                found = await self._api.get(PODS, pod.namespace, pod.name)
            except NotFound:
                found = None
            if found is not None and found["metadata"]["uid"] == pod.uid:
                self._pods.note(found)
                raise Retryable(error.message, error.status, error.reason) from error
        self._pods.forget(pod.namespace, pod.name, pod.uid)


def _about(pod: PodView) -> logging.LoggerAdapter[logging.Logger]:
    return of_run(logger, pod.namespace, pod.run, pod.run_uid, task=pod.task, attempt=pod.attempt, pod=pod.name)
