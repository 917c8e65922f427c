"""The stand-in for git-sync, by itself and as a container."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.pods import end_of, pod_cluster, sh
from windlass.dev import git_sync

IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "protocol.file.allow=always")


def git(where: Path, *words: str) -> str:
    done = subprocess.run(["git", *IDENTITY, *words], cwd=where, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass(frozen=True)
class Repository:
    """Two commits: the first is tagged `v1` (annotated), the second is the tip of `main`."""

    path: Path
    first: str
    second: str

    @property
    def url(self) -> str:
        return self.path.as_uri()

    def commit(self, text: str) -> str:
        (self.path / "a.txt").write_text(text)
        git(self.path, "add", ".")
        git(self.path, "commit", "-qm", text)
        return git(self.path, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    path = tmp_path / "repo"
    path.mkdir()
    git(path, "init", "-q", "-b", "main")
    empty = Repository(path, "", "")
    first = empty.commit("one")
    git(path, "tag", "-a", "v1", "-m", "v1")
    return Repository(path, first, empty.commit("two"))


def command(*flags: str) -> list[str]:
    return [sys.executable, "-I", "-S", git_sync.__file__, *flags]


def sync(*flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*flags), capture_output=True, text=True, check=False, timeout=30)


REFS = {
    "a branch": ("main", "two"),
    "what the server says": ("HEAD", "two"),
    "an annotated tag": ("v1", "one"),
    "a commit that is no tip": ("FIRST", "one"),
}


@pytest.mark.parametrize(("ref", "text"), REFS.values(), ids=REFS.keys())
def test_a_ref(repository: Repository, tmp_path: Path, ref: str, text: str) -> None:
    root = tmp_path / "root"
    ref = repository.first if ref == "FIRST" else ref
    done = sync("--repo", repository.url, f"--ref={ref}", f"--root={root}", "--link=code", "--one-time")
    commit = repository.first if text == "one" else repository.second
    assert (done.returncode, (root / "code").readlink()) == (0, Path(".worktrees") / commit)
    assert (root / "code" / "a.txt").read_text() == text
    assert git(root / "code", "rev-parse", "HEAD") == commit
    assert git(root / "code", "rev-list", "--count", "HEAD") == "1"
    assert (root / "code" / ".git").read_text() == f"gitdir: ../../.git/worktrees/{commit}\n"


FAILURES = {
    "no such ref": (["--ref=nope"], "fatal: couldn't find remote ref nope"),
    "a short commit": (["--ref=SHORT"], "fatal: couldn't find remote ref "),
    "no such repository": (["--repo=file:///no/such"], "fatal: '/no/such' does not appear to be a git repository"),
    "no such host": (["--repo=http://127.0.0.1:1/x.git"], "fatal: unable to access 'http://127.0.0.1:1/x.git/'"),
}


@pytest.mark.parametrize(("flags", "words"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_quotes_git(repository: Repository, tmp_path: Path, flags: list[str], words: str) -> None:
    flags = [flag.replace("SHORT", repository.first[:10]) for flag in flags]
    root = tmp_path / "root"
    done = sync(f"--repo={repository.url}", f"--root={root}", "--one-time", "--error-file=error.json", *flags)
    last = json.loads(done.stderr.splitlines()[-1])
    assert done.returncode == 1
    assert "exit status 128: { stdout: " in last["error"]
    assert words in last["error"]
    assert last["msg"] == "too many failures, aborting"
    said = json.loads((root / "error.json").read_text())
    assert said == {"Msg": last["msg"], "Err": last["error"], "Args": {"failCount": 1}}
    mended = sync(f"--repo={repository.url}", "--ref=main", f"--root={root}", "--one-time", "--error-file=error.json")
    assert (mended.returncode, (root / "error.json").exists()) == (0, False)


WRONG = {
    "no repository": (["--root=/x"], "ERROR: required flag: --repo must be specified\n"),
    "no root": (["--repo=x"], "ERROR: required flag: --root must be specified\n"),
    "a flag that is none": (["--repo=x", "--root=/x", "--nope"], "ERROR: unrecognized arguments: --nope\n"),
    "a user without a password": (
        ["--repo=x", "--root=/x", "--username=u"],
        "ERROR: required flag: --password or --password-file must be specified when --username is specified\n",
    ),
}


@pytest.mark.parametrize(("flags", "words"), WRONG.values(), ids=WRONG.keys())
def test_wrong_flags(flags: list[str], words: str) -> None:
    done = sync(*flags)
    assert (done.returncode, done.stderr) == (1, words)


SUBMODULES = {"recursive": "two", "shallow": "two", "off": None}


@pytest.mark.parametrize("address", ["", "../repo"], ids=["absolute", "relative"])
@pytest.mark.parametrize(("mode", "text"), SUBMODULES.items(), ids=SUBMODULES.keys())
def test_submodules(repository: Repository, tmp_path: Path, mode: str, text: str | None, address: str) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q", "-b", "main")
    git(outer, "submodule", "add", "-q", repository.url, "inner")
    git(outer, "config", "-f", ".gitmodules", "submodule.inner.url", address or repository.url)
    git(outer, "add", ".gitmodules")
    git(outer, "commit", "-qm", "inner")
    allowed = "--git-config=protocol.file.allow:always"
    root = tmp_path / "root"
    done = sync(f"--repo={outer.as_uri()}", f"--root={root}", "--link=c", f"--submodules={mode}", allowed, "--one-time")
    file = root / "c" / "inner" / "a.txt"
    assert (done.returncode, file.read_text() if file.exists() else None) == (0, text)


class _Guarded(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"ada:s3 cret").decode():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def guarded(repository: Repository) -> Iterator[str]:
    git(repository.path, "update-server-info")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Guarded, directory=str(repository.path / ".git"))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_a_password(guarded: str, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3 cret\n")
    (tmp_path / "wrong").write_text("guess\n")
    flags = (f"--repo={guarded}", "--ref=main", "--depth=0", "--link=c", "--one-time", "--username=ada")
    good = sync(*flags, f"--root={tmp_path}/a", f"--password-file={tmp_path}/password")
    bad = sync(*flags, f"--root={tmp_path}/b", f"--password-file={tmp_path}/wrong")
    assert (good.returncode, bad.returncode) == (0, 1)
    assert (tmp_path / "a" / "c" / "a.txt").read_text() == "two"
    assert "Authentication failed" in json.loads(bad.stderr.splitlines()[-1])["error"]
    assert not any(b"s3 cret" in file.read_bytes() for file in (tmp_path / "a").rglob("*") if file.is_file())


def test_a_volume_of_another_owner(guarded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    flags = (f"--repo={guarded}", "--ref=main", "--depth=0", "--link=c", "--one-time")
    done = sync(*flags, f"--root={tmp_path}/a", "--username=ada", "--password=s3 cret")
    assert done.returncode == 0, done.stderr


def test_it_follows_a_branch(repository: Repository, tmp_path: Path) -> None:
    root = tmp_path / "root"
    flags = (f"--repo={repository.url}", "--ref=main", f"--root={root}", "--link=c", "--period=20ms", "--group-write")
    with subprocess.Popen(command(*flags), stderr=subprocess.DEVNULL) as process:
        try:
            _until(lambda: (root / "c" / "a.txt").exists())
            third = repository.commit("three")
            _until(lambda: (root / "c").readlink().name == third)
            _until(lambda: [path.name for path in (root / ".worktrees").iterdir()] == [third])
            assert (root / "c" / "a.txt").read_text() == "three"
            assert (root / "c" / "a.txt").stat().st_mode & 0o060 == 0o060
        finally:
            process.terminate()
    assert process.returncode == 143


def _until(reached: Callable[[], bool]) -> None:
    for _ in range(1000):
        if reached():
            return
        time.sleep(0.01)
    raise AssertionError


async def test_it_plays_the_image(repository: Repository, tmp_path: Path) -> None:
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/windlass/git"}]}
    image = "registry.k8s.io/git-sync/git-sync:v4.4.0"
    args = [f"--repo={repository.url}", "--ref=main", "--root=/windlass/git", "--link=current", "--one-time"]
    fetch = {"name": "git-sync", "image": image, "args": args, **mount}
    tell = {
        "image": image,
        "command": ["bash", "-c", "basename $(readlink /windlass/git/current) > /dev/termination-log"],
    }
    tree = {"name": "v", "mountPath": "/workspace/src", "subPath": f".worktrees/{repository.second}"}
    user = {"runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532}
    async with pod_cluster(tmp_path / "state") as cluster:
        volume = {"volumes": [{"name": "v", "emptyDir": {}}], "initContainers": [fetch], "securityContext": user}
        resolved = await cluster.play(sh("x", "", main=tell | mount, **volume))
        assert end_of(resolved) == (0, "Completed", f"{repository.second}\n")
        script = {"workingDir": "/workspace/src", "volumeMounts": [*mount["volumeMounts"], tree]}
        used = await cluster.play(sh("y", "pwd; cat a.txt", main=script, **volume))
        assert (end_of(used)[0], await cluster.log("y", "main")) == (0, "/workspace/src\ntwo")
        fetch["args"] = [*args, "--ref=nope"]
        fetch["terminationMessagePolicy"] = "FallbackToLogsOnError"
        failed = await cluster.play(sh("z", "true", **volume))
        assert "couldn't find remote ref nope" in end_of(failed, "git-sync")[2]
