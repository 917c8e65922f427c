"""A cluster that tests use by the `windlass` command: a development cluster, or whatever a kubeconfig points at."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from support.direct import ask
from windlass.resources import RUNS

WINDLASS = Path(sys.executable).with_name("windlass")
WITHIN = 180.0


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return f"exit code {self.code}\n{self.out}\n{self.err}"


@dataclass(frozen=True)
class Cluster:
    """Where the cluster is, and what is told of it."""

    kubeconfig: Path
    namespace: str = "default"
    real: bool = False
    """Pods are containers of a real kubelet."""

    def windlass(self, *arguments: str, stdin: str = "", within: float = WITHIN) -> Said:
        """A command of windlass, in the cluster's namespace."""
        command = [str(WINDLASS), *arguments, "--kubeconfig", str(self.kubeconfig), "-n", self.namespace]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=within)
        return Said(done.returncode, done.stdout, done.stderr)

    def apply(self, *objects: dict[str, Any]) -> Said:
        """Create or update objects; fails the test when that can't be done."""
        said = self.windlass("run", "-f", "-", stdin=yaml.safe_dump_all(objects))
        assert said.code == 0, said.all
        return said

    def start(self, name: str, spec: dict[str, Any], **run: Any) -> None:
        """Start a run with a definition of its own."""
        self.start_all({name: {"workflowSpec": spec, **run}})

    def start_all(self, runs: Mapping[str, dict[str, Any]]) -> None:
        """Start runs, given as name and spec, at once."""
        common = {"apiVersion": "windlass.dev/v1alpha1", "kind": "WorkflowRun"}
        self.apply(*({**common, "metadata": {"name": name}, "spec": spec} for name, spec in runs.items()))

    def status(self, run: str) -> dict[str, Any]:
        """The run's status as it is now."""
        said = self.windlass("status", run, "-o", "json")
        assert said.out, said.all
        status: dict[str, Any] = json.loads(said.out).get("status") or {}
        return status

    def ended(self, run: str, within: float = WITHIN) -> dict[str, Any]:
        """Wait for the run's end; its status."""
        said = self.windlass("wait", run, "--timeout", f"{within:.0f}s", within=within + 20)
        assert said.code in (0, 1), f"{said.all}\n{self.windlass('status', run).out}"
        return self._read(run)

    def until(self, run: str, condition: Callable[[dict[str, Any]], bool], within: float = WITHIN) -> dict[str, Any]:
        """Wait until the run's status is as wished; a run that has ended can't come to it any more."""
        end = time.monotonic() + within
        while True:
            status = self._read(run)
            if condition(status):
                return status
            assert "finishedAt" not in status, f"it has ended: {json.dumps(status, indent=1)}"
            assert time.monotonic() < end, f"not within {within} s: {json.dumps(status, indent=1)}"
            time.sleep(0.2)

    def _read(self, run: str) -> dict[str, Any]:
        """The run's status, without the second of work that a command costs."""
        found = ask(self.kubeconfig, lambda api: api.get(RUNS, self.namespace, run))
        status: dict[str, Any] = found.get("status") or {}
        return status


def task(status: dict[str, Any], name: str) -> dict[str, Any]:
    """A task's entry in a run's status."""
    found: dict[str, Any] = next(one for one in status["tasks"] if one["name"] == name)
    return found


def phases(status: dict[str, Any]) -> dict[str, str]:
    """The phase of each task."""
    return {one["name"]: one["phase"] for one in status.get("tasks") or ()}


def ends(status: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    """How each task ended, and what it put out."""
    return {one["name"]: (one["phase"], one.get("outputs")) for one in status["tasks"]}
