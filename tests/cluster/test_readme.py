"""The commands that the READMEs give for a cluster, typed as they stand there."""

from __future__ import annotations

import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clusters import Cluster
from support.controller import Controller
from support.kubectl import kubectl
from support.readme import Block, Place, blocks, checkout

pytestmark = pytest.mark.cluster
WITHIN = 90.0
BLOCKS = [block for block in blocks() if block.place is Place.CLUSTER]
ENDLESS = {
    "windlass controller": "metrics at http",
    "kubectl get workflowruns -w": "hello-1   hello      Succeeded   2/2",
}
"""Commands that go on until they are stopped, and what they must have said by then."""


@pytest.fixture
def own(kubeconfig: Path, cluster: Cluster) -> Iterator[Path]:
    """A kubeconfig as the reader has one, whose namespace is of this test alone."""
    name = f"{cluster.namespace}-{uuid.uuid4().hex[:4]}"
    kubectl("create", "namespace", name)
    with tempfile.TemporaryDirectory(prefix="readme-") as directory:
        copy = Path(directory) / "kubeconfig"
        copy.write_bytes(kubeconfig.read_bytes())
        kubectl("config", "set-context", "--current", f"--namespace={name}", "--kubeconfig", str(copy))
        yield copy
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.file)
def test_the_commands_for_a_cluster(own: Path, controller: Controller, tmp_path: Path, block: Block) -> None:
    tree = checkout(tmp_path)
    environment = f'export KUBECONFIG={own} PATH="{tree}/.venv/bin:$PATH"\n'
    going: dict[str, subprocess.Popen[str]] = {}
    brings_its_own = "windlass controller" in block.commands
    if brings_its_own:
        controller.stop()
    try:
        for command in block.commands:
            if command in ENDLESS:
                log = (tmp_path / f"log-{len(going)}").open("w")
                going[command] = subprocess.Popen(
                    ["bash", "-euc", f"{environment}exec {command}"], cwd=tree, stdout=log, stderr=log, text=True
                )
                continue
            shell = ["bash", "-euc", environment + command]
            done = subprocess.run(shell, cwd=tree, capture_output=True, text=True, check=False, timeout=WITHIN)
            assert done.returncode == 0, done.stdout + done.stderr
        for number, command in enumerate(going):
            _says(going[command], tmp_path / f"log-{number}", ENDLESS[command])
    finally:
        for process in going.values():
            process.terminate()
            process.wait(timeout=30)
        if brings_its_own:
            controller.start()


def _says(process: subprocess.Popen[str], log: Path, words: str) -> None:
    end = time.monotonic() + WITHIN
    while words not in log.read_text(encoding="utf-8"):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < end, log.read_text(encoding="utf-8")
        time.sleep(0.2)
