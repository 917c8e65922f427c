"""The engine's way to the API: it writes only while this process leads, makes only pods that the admin's policies
allow, and marks them with the leader's term."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from windlass import names
from windlass.build.policy import Policy
from windlass.controller.policing import Police
from windlass.errors import Forbidden
from windlass.kube.client import KubeClient
from windlass.kube.credentials import Credentials
from windlass.kube.lease import Leadership
from windlass.kube.transport import RequestHook
from windlass.resources import PODS, Resource

Body = dict[str, Any]


class LeaderClient(KubeClient):
    """A client whose writes raise NotLeading, and are not sent, unless its process leads at that very moment.

    A write that is under way when the process is frozen may still arrive late: then the object's name or version
    refuses it, or, for a pod of which nobody knows yet, the cluster's fencing policy, by the term that it carries.
    """

    def __init__(
        self,
        credentials: Credentials,
        leadership: Leadership,
        *,
        policies: Sequence[Policy] = (),
        concurrency: int = 64,
        on_request: RequestHook | None = None,
    ) -> None:
        super().__init__(
            credentials, concurrency=concurrency, on_request=on_request, may_write=lambda: leadership.is_leader
        )
        self._leadership = leadership
        self._police = Police(self, policies)

    async def create(self, resource: Resource, obj: Body, *, field_validation: str = "Strict") -> Body:
        """Make an object; a pod says who made it, in which term. Forbidden when an admin's policy refuses it."""
        if resource is not PODS:
            return await super().create(resource, obj, field_validation=field_validation)
        if refusals := await self._police.refusals(obj):
            raise Forbidden("; ".join(refusals), 403, "Forbidden")
        return await super().create(resource, self._marked(obj), field_validation=field_validation)

    async def account_refusal(self, namespace: str, service_account: str) -> str | None:
        """Why tasks may not act as this service account; None when they may."""
        return await self._police.account_refusal(namespace, service_account)

    def _marked(self, pod: Body) -> Body:
        metadata = pod["metadata"]
        annotations = {
            **(metadata.get("annotations") or {}),
            names.ANNOTATION_LEADER: self._leadership.identity,
            names.ANNOTATION_TERM: str(self._leadership.term),
        }
        return {**pod, "metadata": {**metadata, "annotations": annotations}}
