"""What happened on a cluster meanwhile, and what goes on in the containers of its node."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

_LINE: Final = (
    r'{.metadata.namespace}{" "}{.metadata.labels.windlass\.dev/run}{" "}{.metadata.name}{" "}{.metadata.uid}{"\n"}'
)


class PodWatch:
    """Every pod of a task that there was while the block lasted, those that are gone by now included."""

    def __init__(self, directory: Path) -> None:
        self._log = directory / "pods"

    def __enter__(self) -> Self:
        command = ["kubectl", "get", "pods", "-A", "-l", "app.kubernetes.io/managed-by=windlass,windlass.dev/run"]
        with self._log.open("w") as log:
            self._process = subprocess.Popen([*command, "-w", "-o", f"jsonpath={_LINE}"], stdout=log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)

    def seen(self, namespace: str) -> dict[str, list[tuple[str, str]]]:
        """Name and UID of each pod of a namespace, by the run. A name that stands there twice was made twice."""
        assert self._process.poll() is None, "the watch of pods has ended"
        found: dict[str, set[tuple[str, str]]] = {}
        for line in self._log.read_text().splitlines():
            where, run, name, uid = line.split(" ")
            if where == namespace:
                found.setdefault(run, set()).add((name, uid))
        return {run: sorted(pods) for run, pods in found.items()}


def kill_container(pod: dict[str, Any]) -> None:
    """End the first process of a pod's only container between two instructions. It runs on this very machine."""
    os.kill(int(_first_process(pod).name), signal.SIGKILL)


def memory_of(pod: dict[str, Any]) -> float:
    """MiB of resident memory of that process."""
    (line,) = (one for one in (_first_process(pod) / "status").read_text().splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def _first_process(pod: dict[str, Any]) -> Path:
    (container,) = pod["status"]["containerStatuses"]
    identity = container["containerID"].rpartition("/")[2]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if identity in (process / "cgroup").read_text() and _is_first(process):
                return process
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
    raise AssertionError(f"no process of {pod['metadata']['name']} on this machine")


def _is_first(process: Path) -> bool:
    """Of its container: its number there is 1."""
    (line,) = (line for line in (process / "status").read_text().splitlines() if line.startswith("NSpid:"))
    return line.split()[-1] == "1" and len(line.split()) > 2
