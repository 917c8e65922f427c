"""Assets: names for data that tasks produce and other Workflows follow."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from windlass.models.common import ASSET_PATTERN, JsonObject, Model, Timestamp

MAX_ASSETS: Final = 100
"""The most successes of producing tasks that the status of a run tells of: the latest ones."""

AssetName = Annotated[str, Field(pattern=ASSET_PATTERN, min_length=1, max_length=253)]
"""The name of an asset, the same in the whole namespace: `sales/daily`."""


class ProducedAsset(Model):
    """That a task has produced an asset."""

    name: AssetName
    """The asset's name."""
    task: str
    """The task."""
    finished_at: Timestamp
    """When the task ended."""
    fields: JsonObject | None = None
    """What the task says of it: its outputs, as far as they fit 1 KiB."""
