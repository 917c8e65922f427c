"""A cluster of a test's own, made by the command in KUBE_KIT, so that its parts can be taken away and given back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PORTS = 9
"""How many ports in a row a cluster uses."""


@dataclass(frozen=True)
class OwnCluster:
    """A control plane and hollow nodes, with its state in a directory."""

    state: Path
    port: int

    @property
    def kubeconfig(self) -> Path:
        return self.state / "conf" / "admin.kubeconfig"

    def up(self) -> None:
        """Start what does not run."""
        self._kit("up", "--nodes", "1")

    def freeze(self) -> None:
        """The API server answers nobody any more, and breaks no connection off."""
        os.kill(self._api_server(), signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._api_server(), signal.SIGCONT)

    def kill(self) -> None:
        """There is no API server any more, until `up`."""
        os.kill(self._api_server(), signal.SIGKILL)

    def wipe(self) -> None:
        self._kit("down", "--wipe")

    def _api_server(self) -> int:
        return int((self.state / "run" / "apiserver.pid").read_text().split()[0])

    def _kit(self, *command: str) -> None:
        environment = {**os.environ, "KUBE_STATE": str(self.state), "KUBE_PORT": str(self.port)}
        done = subprocess.run(
            [os.environ["KUBE_KIT"], *command], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def own_cluster(directory: Path) -> Iterator[OwnCluster]:
    """A cluster that is up until the block ends."""
    found = OwnCluster(directory, free_ports())
    try:
        found.up()
        yield found
    finally:
        found.wipe()


def free_ports() -> int:
    """The first of PORTS ports in a row that nobody listens at."""
    for first in range(26443, 32000, PORTS + 1):
        if all(_is_free(port) for port in range(first, first + PORTS)):
            return first
    raise AssertionError("no ports are free")


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True
