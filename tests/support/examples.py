"""The examples as tests use them: their manifests, their modules, and their tasks run as a pod runs them."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from support.git_server import GitServer
from windlass.plan.templates import render, render_text

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
NAMES = ("approval", "daily-sales-etl", "fan-out", "hello", "sales-report", "weather-umbrella")
OTHERS = ("backfill", "business-days", "daily-kst", "emr-like", "follow", "ml-pipeline", "pools")
"""Examples whose Workflow has a name of its own, or that are started otherwise than by a `run.yaml`."""


def documents(path: Path) -> list[dict[str, Any]]:
    """The objects of a manifest."""
    return [found for found in yaml.safe_load_all(path.read_text(encoding="utf-8")) if found]


def workflow(example: str) -> dict[str, Any]:
    """The Workflow of an example, as its manifest has it."""
    (found,) = (each for each in documents(EXAMPLES / example / "workflow.yaml") if each["kind"] == "Workflow")
    return found


def manifest_from(example: str, server: GitServer) -> str:
    """The manifest of an example, with its code in a repository of a git server."""
    directory = EXAMPLES / example
    manifest = (directory / "workflow.yaml").read_text(encoding="utf-8")
    upstream: str = load(".", "publish").UPSTREAM
    if upstream in manifest:
        server.commit_directory(example, ROOT, directory / "tasks")
    return manifest.replace(upstream, server.url(example))


def load(example: str, module: str) -> ModuleType:
    """A module of an example. Several examples have modules of one name, so none stays in `sys.modules`."""
    places = [str(EXAMPLES / example / "tasks"), str(EXAMPLES / example)]
    before = set(sys.modules)
    sys.path[:0] = places
    try:
        return importlib.import_module(module)
    finally:
        # seed.py puts a directory of its own into the path.
        sys.path[:] = [place for place in sys.path if place not in places]
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(EXAMPLES)):
                del sys.modules[name]


@dataclass(frozen=True)
class Ended:
    """How a task's process ended."""

    code: int
    stdout: str
    stderr: str
    outputs: dict[str, Any] | None
    """What it wrote to $WINDLASS_OUTPUTS; None where it wrote nothing."""


@dataclass(frozen=True)
class Pod:
    """Runs the tasks of one run as its pods would: in processes of their own, with a pod's environment."""

    example: str
    directory: Path
    """Holds the workspace and the outputs of each task."""
    run: str = "run-1"

    @property
    def workspace(self) -> Path:
        """The directory that the run's tasks share."""
        return self.directory / "workspace"

    def task(self, *command: str, env: Mapping[str, str] | None = None) -> Ended:
        """Run a program of the example's tasks: `task("read.py", "shopping_data")`."""
        return self.process([sys.executable, *command], env)

    def process(self, command: list[str], env: Mapping[str, str] | None = None) -> Ended:
        """Run a command in the directory of the tasks' code, as the task's container does."""
        self.workspace.mkdir(exist_ok=True)
        outputs = self.directory / "outputs"
        outputs.write_bytes(b"")
        # Like the mount in a pod: it can be written, and nothing can be renamed onto it.
        inode = outputs.stat().st_ino
        tasks = EXAMPLES / self.example / "tasks"
        done = subprocess.run(
            command,
            cwd=tasks if tasks.exists() else self.directory,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.directory),
                "PYTHONDONTWRITEBYTECODE": "1",
                "WINDLASS_RUN": self.run,
                "WINDLASS_RUN_UID": f"uid-of-{self.run}",
                "WINDLASS_WORKSPACE": str(self.workspace),
                "WINDLASS_OUTPUTS": str(outputs),
                **(env or {}),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert outputs.stat().st_ino == inode, "the outputs file was replaced, which a mount in a pod does not allow"
        written = outputs.read_text(encoding="utf-8")
        assert len(written) < 4096, "Kubernetes keeps less than that of a termination message"
        return Ended(done.returncode, done.stdout, done.stderr, json.loads(written) if written else None)


def run_all(
    pod: Pod,
    *,
    params: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    mounts: Mapping[str, str] | None = None,
) -> dict[str, Ended]:
    """Run every task of the example's manifest, in its order, with the commands and the environment it says.

    `secrets` are the keys of its Secret; `mounts` replaces mount paths by directories of the test. Stops at the first
    task that fails; a task whose `when` is false is left out of the answer.
    """
    spec = workflow(pod.example)["spec"]
    given = {name: schema.get("default") for name, schema in spec.get("params", {}).items()} | dict(params or {})
    done: dict[str, Ended] = {}
    for task in spec["tasks"]:
        assert set(task.get("dependsOn", ())) <= done.keys(), "the manifests name tasks in an order they can run in"
        known = {"params": given, "tasks": {name: {"outputs": ended.outputs} for name, ended in done.items()}}
        if "when" in task and render(task["when"], known) is not True:
            continue
        env = {
            entry["name"]: render_text(entry["value"], known)
            if "value" in entry
            else (secrets or {})[entry["valueFrom"]["secretKeyRef"]["key"]]
            for entry in task.get("env", ())
        }
        command = [_moved(part, mounts or {}) for part in render_text(_command(task), known)]
        done[task["name"]] = ended = pod.process(command, env)
        if ended.code:
            break
    return done


def _command(task: Mapping[str, Any]) -> list[str]:
    if "script" in task:
        shell = {"python": [sys.executable, "-c"], "sh": ["sh", "-ec"]}[task.get("interpreter", "sh")]
        return [*shell, task["script"]]
    program, *arguments = task["command"]
    return [sys.executable if program == "python" else program, *arguments]


def _moved(part: str, mounts: Mapping[str, str]) -> str:
    for path, directory in mounts.items():
        if part == path or part.startswith(f"{path}/"):
            return directory + part.removeprefix(path)
    return part
