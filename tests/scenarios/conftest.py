"""The development cluster that the scenarios share: a process of its own, as a user has it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clusters import WINDLASS, Cluster


@pytest.fixture(scope="session")
def dev_cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="windlass-") as directory:
        started = subprocess.run(
            [str(WINDLASS), "dev", "--detach", "--state", directory], capture_output=True, text=True, check=False
        )
        assert started.returncode == 0, started.stderr
        try:
            yield Cluster(Path(started.stdout.strip()))
        finally:
            subprocess.run([str(WINDLASS), "dev", "stop", "--state", directory], check=False, capture_output=True)
