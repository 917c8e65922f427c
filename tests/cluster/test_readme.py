"""The commands that the READMEs give for a cluster, typed as they stand there."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.controller import Controller
from support.readme import Block, Place, blocks
from support.terminal import Terminals

pytestmark = pytest.mark.cluster
BLOCKS = [block for block in blocks() if block.place is Place.CLUSTER]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.file)
def test_the_commands_for_a_cluster(own: Path, controller: Controller, tmp_path: Path, block: Block) -> None:
    brings_its_own = "windlass controller" in block.commands
    if brings_its_own:
        controller.stop()
    try:
        with Terminals(tmp_path, own) as terminals:
            terminals.type(block.commands)
    finally:
        if brings_its_own:
            controller.start()
