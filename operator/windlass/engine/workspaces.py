"""The claims of runs' workspaces: made before the first pod, deleted when the plan says so."""

from __future__ import annotations

import logging

from windlass.build.workspace import build_claim
from windlass.engine.ports import Api
from windlass.engine.record import RunRecord
from windlass.errors import AlreadyExists, NotFound
from windlass.models.workflow import Workspace
from windlass.names import workspace_claim_name
from windlass.resources import CLAIMS

logger = logging.getLogger(__name__)


class Workspaces:
    """Makes and deletes claims; their names are derived from the run's UID."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def create(self, record: RunRecord, workspace: Workspace) -> None:
        """Have the run's claim in the cluster."""
        claim = build_claim(
            namespace=record.key.namespace,
            run=record.key.name,
            run_uid=record.uid,
            workflow=record.view().workflow,
            workspace=workspace,
        )
        try:
            await self._api.create(CLAIMS, claim)
        except AlreadyExists:
            record.log(logger).debug("the workspace is there")

    async def delete(self, record: RunRecord) -> None:
        """Have the run's claim gone."""
        name = record.draft.workspace or workspace_claim_name(record.key.name, record.uid)
        try:
            await self._api.delete(CLAIMS, record.key.namespace, name)
        except NotFound:
            record.log(logger).debug("the workspace was gone already")
