"""The root of a container, as arguments of bubblewrap."""

from __future__ import annotations

from pathlib import Path

import pytest

from windlass.dev.pods.layout import real_target, root_arguments


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("etc/ssl", "usr/bin", "var", "tmp/old", "proc", "run"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "etc" / "passwd").touch()
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "var" / "run").symlink_to("../run")
    return tmp_path


PLAIN = ["symlink /bin", "bind /etc", "bind /usr", "bind /var"]
SPLIT = ["symlink /bin", "dir /etc", "bind /etc/passwd", "bind /etc/ssl", "bind /usr", "bind /var"]
CASES = {
    "nothing to mount": ([], PLAIN),
    "a new top-level directory": (["/windlass/git"], PLAIN),
    "what the host has": (["/etc/passwd", "/etc/ssl"], PLAIN),
    "what the container has of its own": (["/tmp/a/b", "/run/secrets/x", "/dev/termination-log"], PLAIN),
    "a file that the host does not have": (["/etc/app.ini"], SPLIT),
    "far below what the host has": (["/etc/app/deep/er"], SPLIT),
    "two in one directory": (["/etc/a", "/etc/b"], SPLIT),
    "in a directory of a directory": (
        ["/usr/bin/tool"],
        ["symlink /bin", "bind /etc", "dir /usr", "dir /usr/bin", "bind /var"],
    ),
}


@pytest.mark.parametrize(("targets", "said"), CASES.values(), ids=CASES.keys())
def test_root(root: Path, targets: list[str], said: list[str]) -> None:
    words = iter(root_arguments(targets, root))
    found = []
    for word in words:
        if word != "--dir":
            assert next(words) is not None
        found.append(f"{word.removeprefix('--').removeprefix('ro-').removesuffix('-try')} {next(words)}")
    assert found == said


TARGETS = {
    "a plain path": ("/etc/app/", "/etc/app"),
    "through a link": ("/bin/tool", "/usr/bin/tool"),
    "through a link into what is the container's own": ("/var/run/secrets/x", "/run/secrets/x"),
    "the container's own": ("/tmp/../tmp/x", "/tmp/x"),
}


@pytest.mark.parametrize(("target", "real"), TARGETS.values(), ids=TARGETS.keys())
def test_real_target(root: Path, target: str, real: str) -> None:
    assert real_target(target, root) == real
