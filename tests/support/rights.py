"""A controller outside of the cluster that has the rights which the chart gives, and nothing else."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.chart import Manifest, is_hook, render
from support.controller import Controller
from support.kubectl import kubectl

ADMISSION = "ValidatingAdmissionPolicy"
RIGHTS = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")


@dataclass
class Installed:
    """What the chart gives to its ServiceAccount, and a controller that has nothing else."""

    namespace: str
    account: str
    manifests: list[Manifest]
    controller: Controller

    def granted(self) -> set[tuple[str, str]]:
        """Verbs and resources of all Roles together."""
        return {
            (verb, resource)
            for one in self.manifests
            if one["kind"] in ("Role", "ClusterRole")
            for rule in one["rules"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }

    def asked(self) -> dict[tuple[str, str], set[str]]:
        """Verbs and resources that were asked for, with the codes of the answers."""
        found: dict[tuple[str, str], set[str]] = {}
        for line in self.controller.read_metrics().splitlines():
            if line.startswith("windlass_api_requests_total{"):
                labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
                found.setdefault((labels["verb"], labels["resource"]), set()).add(labels["code"])
        return found

    def remove(self) -> None:
        """Stop the controller, tell what it said, and take what the chart gave out of the cluster."""
        self.controller.stop()
        print(self.controller.log.read_text()[-8000:])
        gone = json.dumps({"apiVersion": "v1", "kind": "List", "items": self.manifests})
        kubectl("delete", "-f", "-", "--ignore-not-found", "--wait=false", stdin=gone)


def install(kubeconfig: Path, directory: Path, namespace: str, values: dict[str, Any]) -> Installed:
    """Give the chart's rights to its ServiceAccount; a controller that logs in as it, not started."""
    release = f"rights-{uuid.uuid4().hex[:6]}"
    all_of_it = render(values, release, namespace)
    own = [one for one in all_of_it if one["kind"] in RIGHTS and not is_hook(one)]
    actions = f"{namespace}-{release}-windlass-actions"
    own += [one for one in all_of_it if one["kind"].startswith(ADMISSION) and one["metadata"]["name"] == actions]
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": own}))
    (account,) = [one["metadata"]["name"] for one in own if one["kind"] == "ServiceAccount"]
    config = json.loads(kubectl("config", "view", "--minify", "--raw", "-o", "json"))
    config["users"][0]["user"] = {"token": kubectl("create", "token", account, "-n", namespace).strip()}
    login = directory / "kubeconfig"
    login.write_text(json.dumps(config))
    arguments = ["--lease-name", f"{release}-windlass-controller"]
    arguments += ["--actions-policy", actions, "--unverified-actions", "--keep-actions", "1s"]
    for place in values.get("watchNamespaces", ()):
        arguments += ["--namespace", place]
    return Installed(namespace, account, own, Controller(login, namespace, directory / "log", tuple(arguments)))
