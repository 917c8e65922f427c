"""A release of the chart on a real cluster, and what becomes of its controller's processes."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from typing import Any

import pytest

from support.chart import CHART, helm_program
from support.kubectl import kubectl, objects
from windlass.models import crd

SELECTOR = "app.kubernetes.io/name=windlass,app.kubernetes.io/component=controller"


@dataclass(frozen=True)
class Release:
    """A release of the chart, by helm."""

    namespace: str
    name: str = "windlass"

    def helm(self, command: str, *arguments: str) -> str:
        """A command of helm for this release; fails the test when it fails, with what the pods of its hooks said."""
        whole = [helm_program(), command, self.name, *arguments, "--namespace", self.namespace, "--timeout", "180s"]
        done = subprocess.run(whole, capture_output=True, text=True, check=False)
        if done.returncode:
            kubectl("get", "pods,jobs,events", "-n", self.namespace)
            told = subprocess.run(
                ["kubectl", "logs", "-n", self.namespace, "-l", "app.kubernetes.io/part-of=windlass", "--tail=50"],
                capture_output=True,
                text=True,
                check=False,
            )
            pytest.fail(f"helm {command}: {done.stdout}{done.stderr}{told.stdout}{told.stderr}")
        return done.stdout

    def install(self, *options: str) -> float:
        """Install or upgrade it, and wait until it is ready; after how many seconds that was."""
        began = time.monotonic()
        self.helm("upgrade", str(CHART), "--install", "--wait", *options)
        return time.monotonic() - began

    def pods(self) -> list[dict[str, Any]]:
        """The controller's pods."""
        return objects("pods", self.namespace, "-l", SELECTOR)

    def is_installed(self) -> bool:
        command = [helm_program(), "status", self.name, "-n", self.namespace]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def logs(self) -> str:
        """What its controllers have said."""
        command = ["kubectl", "logs", "-n", self.namespace, "-l", SELECTOR, "--tail=200", "--prefix"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def lease(self) -> dict[str, Any]:
        """The spec of the Lease that its controllers share."""
        found = json.loads(kubectl("get", "lease", f"{self.name}-controller", "-n", self.namespace, "-o", "json"))
        spec: dict[str, Any] = found["spec"]
        return spec

    def leader(self) -> dict[str, Any]:
        """The pod that leads."""
        holder = self.lease()["holderIdentity"]
        (found,) = (pod for pod in self.pods() if holder.startswith(pod["metadata"]["name"]))
        return found


def remove_kinds() -> None:
    """Take our kinds out of the cluster, with all that is of them."""
    kubectl("delete", "crd", "--ignore-not-found", *(one["metadata"]["name"] for one in crd.definitions().values()))


def apply_kinds() -> None:
    """Have our kinds in the cluster."""
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CHART.parents[1] / "crds"))
    names = (f"crd/{one['metadata']['name']}" for one in crd.definitions().values())
    kubectl("wait", "--for=condition=Established", "--timeout=30s", *names)
