"""What is said when this machine can't run pods; and what image names mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.pods import pod_cluster
from windlass.dev.pods import HostUnfit, check_host
from windlass.dev.pods.images import Image, image_of, local_repository


def test_this_machine_will_do() -> None:
    assert check_host() == []


def test_bubblewrap_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert check_host() == [
        "bubblewrap (bwrap) is not installed; pods run in it as local processes: sudo apt-get install bubblewrap"
    ]


async def test_no_sandbox_can_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho bwrap: No permissions to create a new namespace >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(HostUnfit, match=r"No permissions to create a new namespace.*: .*sudo "):
        async with pod_cluster(tmp_path / "state"):
            pass
    assert not (tmp_path / "state").exists()


IMAGES = {
    "python:3.12-slim": Image.HOST,
    "registry.k8s.io/git-sync/git-sync:v4.4.0": Image.GIT_SYNC,
    "mirror.example.com:5000/git-sync@sha256:00": Image.GIT_SYNC,
    "acme/tool:missing": Image.MISSING,
    "missing": Image.HOST,
    "invalid.example/acme/tool:1": Image.MISSING,
    "invalid.example:5000/tool": Image.MISSING,
    "invalid.example": Image.HOST,
    "host:5000/tool": Image.HOST,
}


@pytest.mark.parametrize(("name", "image"), IMAGES.items(), ids=IMAGES.keys())
def test_image(name: str, image: Image) -> None:
    assert image_of(name) is image


REPOSITORIES: dict[str, tuple[list[str], str | None]] = {
    "a URL of the host's files": (["--x", "--repo=file:///srv/a.git"], "/srv/a.git"),
    "a path in a word of its own": (["--repo", "/srv/a.git", "--x"], "/srv/a.git"),
    "elsewhere": (["--repo=https://example.com/a.git"], None),
    "none": (["--one-time"], None),
}


@pytest.mark.parametrize(("arguments", "path"), REPOSITORIES.values(), ids=REPOSITORIES.keys())
def test_local_repository(arguments: list[str], path: str | None) -> None:
    assert local_repository(arguments) == path
