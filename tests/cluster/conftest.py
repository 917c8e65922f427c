"""The cluster that KUBECONFIG points at, with our kinds in it and a controller process of our own at work."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clusters import WINDLASS, Cluster
from support.controller import Controller
from support.controller_image import make_controller
from support.git_server import GitServer
from support.images import make_git_sync
from support.kubectl import kubectl
from support.report_servers import ReportServers
from support.servers import await_ready


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those come first that want no controller: it would work on what they make."""
    items.sort(key=lambda item: isinstance(item, pytest.Function) and "controller" in item.fixturenames)


@pytest.fixture(scope="session")
def kubeconfig() -> Path:
    """What KUBECONFIG points at."""
    said = os.environ.get("KUBECONFIG")
    assert said, "KUBECONFIG must point at a cluster that may be used for tests"
    return Path(said)


@pytest.fixture(scope="session")
def namespace(kubeconfig: Path) -> Iterator[str]:
    """A namespace of this session, which takes restricted pods only."""
    name = f"windlass-test-{uuid.uuid4().hex[:6]}"
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def controller(kubeconfig: Path, namespace: str) -> Iterator[Controller]:
    """A controller at work on the whole cluster, with our kinds in it."""
    crds = subprocess.run([str(WINDLASS), "crds"], capture_output=True, text=True, check=True).stdout
    kubectl("apply", "-f", "-", stdin=crds)
    for kind in ("workflows", "workflowruns", "pools", "runactions", "backfills"):
        kubectl("wait", "--for=condition=Established", f"crd/{kind}.windlass.dev", "--timeout=30s")
    with tempfile.TemporaryDirectory(prefix="windlass-controller-") as directory:
        running = Controller(kubeconfig, namespace, Path(directory) / "log", ("--unverified-actions",))
        running.start()
        try:
            yield running
        finally:
            running.stop()
            sys.stderr.write(running.log.read_text()[-20000:])


@pytest.fixture(scope="session")
def cluster(controller: Controller, kubeconfig: Path, namespace: str) -> Cluster:
    """The cluster, by the windlass command."""
    return Cluster(kubeconfig, namespace, real=True)


@pytest.fixture
def own(kubeconfig: Path, namespace: str) -> Iterator[Path]:
    """A kubeconfig as a reader has one, whose namespace is of this test alone."""
    name = f"{namespace}-{uuid.uuid4().hex[:4]}"
    kubectl("create", "namespace", name)
    with tempfile.TemporaryDirectory(prefix="readme-") as directory:
        copy = Path(directory) / "kubeconfig"
        copy.write_bytes(kubeconfig.read_bytes())
        kubectl("config", "set-context", "--current", f"--namespace={name}", "--kubeconfig", str(copy))
        yield copy
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def places(controller: Controller) -> Iterator[list[str]]:
    """Three namespaces; the session's own controller rests meanwhile."""
    controller.stop()
    names = [f"rights-{uuid.uuid4().hex[:6]}" for _ in range(3)]
    for name in names:
        kubectl("create", "namespace", name)
    try:
        yield names
    finally:
        controller.start()
        kubectl("delete", "namespace", *names, "--ignore-not-found", "--wait=false")


@pytest.fixture(scope="session")
def image_kit() -> None:
    """What makes images that no registry has, and loads them into the cluster's nodes."""
    if "KUBE_KIT" not in os.environ:
        assert "CI" not in os.environ, "KUBE_KIT must be the command of the Kubernetes kit"
        pytest.skip("KUBE_KIT is not set: no images can be made for this cluster")


@pytest.fixture(scope="session")
def git_server(image_kit: None, namespace: str) -> GitServer:
    """A git server in the tests' namespace; git-sync's image is there too."""
    with tempfile.TemporaryDirectory(prefix="image-") as directory:
        make_git_sync(Path(directory))
    git = GitServer.start(namespace)
    await_ready(git.server)
    return git


@pytest.fixture(scope="session")
def report_servers(image_kit: None, namespace: str) -> ReportServers:
    """What the sales report reads from and mails to, in the tests' namespace."""
    return ReportServers.start(namespace)


@pytest.fixture(scope="session")
def controller_image(image_kit: None) -> None:
    """The controller's image is on the real node, by the name that the chart gives it."""
    with tempfile.TemporaryDirectory(prefix="windlass-image-") as directory:
        print(f"the image's layer of ours: {make_controller(Path(directory)) / 1e6:.1f} MB")
