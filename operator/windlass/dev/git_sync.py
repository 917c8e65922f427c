#!/usr/bin/env -S python3 -I -S
"""A stand-in for git-sync v4, over the git of the machine: the flags that Windlass uses, the same files and answers.

One file of the standard library alone, since it also runs where nothing is installed. Below `--root`:

    .git                      the repository
    .worktrees/<commit>       the work tree of the commit
    <link>                    points to the work tree that is current; the last part of its target is the commit

A sync that failed ends as one line of JSON on stderr, which quotes what git said.
"""

from __future__ import annotations

import argparse
import contextlib
import http.server
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_CREDENTIALS = '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$GITSYNC_USER_" "$GITSYNC_WORD_"; }; f'


class GitFailed(Exception):
    """A git command that ended badly, in git-sync's words."""


def duration(text: str) -> float:
    """Seconds of a Go duration."""
    if text == "0":
        return 0.0
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise argparse.ArgumentTypeError(f'invalid duration "{text}"')
    return float(sum(float(number) * _SECONDS[unit] for number, unit in parts))


def truth(text: str) -> bool:
    """A Go boolean."""
    if text.lower() in {"1", "t", "true"}:
        return True
    if text.lower() in {"0", "f", "false"}:
        return False
    raise argparse.ArgumentTypeError(f'invalid boolean "{text}"')


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]  # it ends the process, as the original does
        sys.stderr.write(f"ERROR: {message}\n")
        sys.exit(1)


def parser() -> argparse.ArgumentParser:
    """The flags; each can be given in the environment too, as GITSYNC_<FLAG>."""
    flags = _Parser(prog="git-sync", allow_abbrev=False)

    def flag(name: str, kind: type | object = str, default: object = "") -> None:
        given = os.environ.get("GITSYNC_" + name.upper().replace("-", "_"), default)
        if kind is truth:
            flags.add_argument(f"--{name}", type=truth, nargs="?", const=True, default=given)
        else:
            flags.add_argument(f"--{name}", type=kind, default=given)  # type: ignore[arg-type]  # a callable of str

    for name in ("repo", "root", "link", "error-file", "touch-file", "sparse-checkout-file", "git-config", "http-bind"):
        flag(name)
    for name in ("username", "password", "password-file", "exechook-command", "webhook-url", "sync-on-signal"):
        flag(name)
    flag("ref", default="HEAD")
    flag("git", default="git")
    flag("git-gc", default="always")
    flag("submodules", default="recursive")
    flag("ssh-key-file", default="/etc/git-secret/ssh")
    flag("ssh-known-hosts-file", default="/etc/git-secret/known_hosts")
    for name in ("one-time", "group-write", "add-user", "http-metrics", "http-pprof"):
        flag(name, truth, False)
    flag("ssh-known-hosts", truth, True)
    for name, seconds in (("period", "10s"), ("sync-timeout", "2m"), ("stale-worktree-timeout", "0s")):
        flag(name, duration, seconds)
    for name, number in (("depth", 1), ("max-failures", 0), ("verbose", 0)):
        flag(name, int, number)
    flags.add_argument("-v", dest="verbose", type=int)
    flags.add_argument("--version", action="version", version="v4.0.0-stand-in")
    return flags


class Log:
    """Lines of JSON on stderr, and the error file."""

    def __init__(self, error_file: Path | None) -> None:
        self._error_file = error_file

    def say(self, message: str, **more: object) -> None:
        now = datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")  # noqa: UP017
        line = {
            "logger": "",
            "ts": now,
            "caller": {"file": "git_sync.py", "line": 0},
            "level": 0,
            "msg": message,
            **more,
        }
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()

    def fail(self, message: str, error: str, **more: object) -> None:
        self.say(message, error=error, **more)
        if self._error_file is not None:
            content = json.dumps({"Msg": message, "Err": error, "Args": more}, indent=1)
            self._error_file.parent.mkdir(parents=True, exist_ok=True)
            self._error_file.write_text(content)

    def succeed(self) -> None:
        if self._error_file is not None:
            self._error_file.unlink(missing_ok=True)


class Git:
    """The git program, with the credentials that the flags name."""

    def __init__(self, program: str, root: Path, timeout: float) -> None:
        self._program = program
        self._root = root
        self._timeout = timeout or None
        self.environment = dict(os.environ, GIT_TERMINAL_PROMPT="0", LC_ALL="C.UTF-8")
        self.environment.setdefault("HOME", "/tmp")
        self.environment["PATH"] = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")

    def __call__(self, *words: str, cwd: Path | None = None) -> str:
        command = f"Run({self._program} {' '.join(words)})"
        try:
            done = subprocess.run(
                [self._program, *words],
                cwd=cwd or self._root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self._timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise GitFailed(f"{command}: context deadline exceeded") from error
        except OSError as error:
            raise GitFailed(f"{command}: {error.strerror}") from error
        if done.returncode:
            said = f"{{ stdout: {json.dumps(done.stdout.strip())}, stderr: {json.dumps(done.stderr.strip())} }}"
            raise GitFailed(f"{command}: exit status {done.returncode}: {said}")
        return done.stdout.strip()


class Syncer:
    """Brings the root to what the reference is now."""

    def __init__(self, flags: argparse.Namespace, git: Git) -> None:
        self._flags = flags
        self._git = git
        self._root = Path(flags.root)
        self.link = self._root / (flags.link or re.sub(r"\.git$", "", flags.repo.rstrip("/").rpartition("/")[2]))
        self._stale: dict[Path, float] = {}

    def sync(self) -> str:
        """Fetch, check out, move the link. Returns the commit. Raises GitFailed."""
        self._make_repository()
        commit = self._fetch()
        tree = self._root / ".worktrees" / commit
        current = self.current()
        if current != tree or not tree.is_dir():
            self._check_out(commit, tree)
            self._point_to(tree)
            if current is not None and current != tree:
                self._stale[current] = time.monotonic() + self._flags.stale_worktree_timeout
        self._remove_stale()
        return commit

    def current(self) -> Path | None:
        """The work tree that the link names."""
        return self.link.parent / self.link.readlink() if self.link.is_symlink() else None

    def _make_repository(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        if not (self._root / ".git").exists():
            shared = ["--shared=group"] if self._flags.group_write else []
            self._git("init", "-q", "-b", "git-sync", *shared)
            self._git("config", "gc.auto", "0")
        # Addresses of submodules may be relative to it.
        self._git("config", "remote.origin.url", self._flags.repo)

    def _fetch(self) -> str:
        depth = ["--depth", str(self._flags.depth)] if self._flags.depth > 0 else []
        fetch = ["fetch", self._flags.repo, self._flags.ref, "--no-progress", "--prune", "--no-auto-gc", *depth]
        self._git("-c", "protocol.version=2", *fetch)
        return self._git("rev-parse", "FETCH_HEAD^{}")

    def _check_out(self, commit: str, tree: Path) -> None:
        if tree.exists():
            shutil.rmtree(tree, ignore_errors=True)
        self._git("worktree", "prune")
        self._git("worktree", "add", "--force", "--detach", "--no-checkout", str(tree), commit)
        # Other containers see the volume at another path: the way back to the repository must be relative.
        (tree / ".git").write_text(f"gitdir: ../../.git/worktrees/{tree.name}\n")
        if self._flags.sparse_checkout_file:
            sparse = Path(self._git("rev-parse", "--git-dir", cwd=tree))
            target = (tree / sparse) / "info" / "sparse-checkout"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._flags.sparse_checkout_file, target)
            self._git("config", "core.sparseCheckout", "true")
        self._git("reset", "--hard", commit, "--", cwd=tree)
        if self._flags.submodules != "off":
            recursive = ["--recursive"] if self._flags.submodules == "recursive" else []
            depth = ["--depth", str(self._flags.depth)] if self._flags.depth > 0 else []
            self._git("submodule", "update", "--init", *recursive, *depth, cwd=tree)

    def _point_to(self, tree: Path) -> None:
        self.link.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.link.with_name(f".{self.link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.path.relpath(tree, self.link.parent))
        fresh.replace(self.link)

    def _remove_stale(self) -> None:
        for tree in [tree for tree, when in self._stale.items() if when <= time.monotonic()]:
            del self._stale[tree]
            shutil.rmtree(tree, ignore_errors=True)
            self._git("worktree", "prune")


def set_credentials(flags: argparse.Namespace, git: Git) -> None:
    """Give git the user's name and password, or the key."""
    if flags.username:
        word = Path(flags.password_file).read_text().strip() if flags.password_file else flags.password
        git.environment |= {"GITSYNC_USER_": flags.username, "GITSYNC_WORD_": word}
        _add_config(git, "credential.helper", _CREDENTIALS)
    key = Path(flags.ssh_key_file)
    if key.is_file():
        # ssh refuses a key of its own user that others may read, as files of a Secret can be.
        private = Path(tempfile.mkdtemp(prefix="git-sync-")) / "key"
        private.touch(mode=0o600)
        private.write_bytes(key.read_bytes().rstrip(b"\n") + b"\n")
        checks = f"-o StrictHostKeyChecking=yes -o UserKnownHostsFile={flags.ssh_known_hosts_file}"
        if not flags.ssh_known_hosts:
            checks = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        ssh = f"ssh -F /dev/null -i {private} -o IdentitiesOnly=yes -o BatchMode=yes"
        git.environment["GIT_SSH_COMMAND"] = f"{ssh} {checks}"
    for pair in filter(None, flags.git_config.split(",")):
        name, _, value = pair.strip().partition(":")
        _add_config(git, name.strip('" '), value.strip('" '))


def _add_config(git: Git, key: str, value: str) -> None:
    count = int(git.environment.get("GIT_CONFIG_COUNT") or 0)
    git.environment |= {
        f"GIT_CONFIG_KEY_{count}": key,
        f"GIT_CONFIG_VALUE_{count}": value,
        "GIT_CONFIG_COUNT": str(count + 1),
    }


def add_user() -> None:
    """Write the user into /etc/passwd, which ssh demands."""
    with contextlib.suppress(KeyError):
        pwd.getpwuid(os.getuid())
        return
    line = f"git-sync:x:{os.getuid()}:{os.getgid()}::/tmp:/sbin/nologin\n"
    with contextlib.suppress(OSError), Path("/etc/passwd").open("a") as file:
        file.write(line)


def serve(bind: str, synced: threading.Event) -> None:
    """Answer 200 at / once a sync was good, 503 before."""

    class Liveness(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if synced.is_set() else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    host, _, port = bind.rpartition(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), Liveness)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def check(flags: argparse.Namespace) -> str | None:
    """What the flags lack."""
    if not flags.repo:
        return "required flag: --repo must be specified"
    if not flags.root:
        return "required flag: --root must be specified"
    if flags.submodules not in {"recursive", "shallow", "off"}:
        return "invalid flag: --submodules must be one of recursive, shallow, or off"
    if flags.password and flags.password_file:
        return "invalid flag: only one of --password and --password-file may be specified"
    if flags.username and not (flags.password or flags.password_file):
        return "required flag: --password or --password-file must be specified when --username is specified"
    return None


def main(words: Sequence[str]) -> int:
    flags = parser().parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    wrong = check(flags)
    if wrong:
        sys.stderr.write(f"ERROR: {wrong}\n")
        return 1
    if flags.group_write:
        os.umask(0o002)
    if flags.add_user:
        add_user()
    log = Log(Path(flags.root) / flags.error_file if flags.error_file else None)
    git = Git(flags.git, Path(flags.root), flags.sync_timeout)
    # Who owns a volume of a pod is not who runs in it.
    _add_config(git, "safe.directory", "*")
    try:
        set_credentials(flags, git)
    except OSError as error:
        log.fail("can't set up git credentials", str(error))
        return 1
    synced = threading.Event()
    if flags.http_bind:
        serve(flags.http_bind, synced)
    return _loop(flags, Syncer(flags, git), log, synced)


def _loop(flags: argparse.Namespace, syncer: Syncer, log: Log, synced: threading.Event) -> int:
    failures = 0
    while True:
        try:
            before = syncer.current()
            commit = syncer.sync()
        except (GitFailed, OSError) as error:
            failures += 1
            if flags.one_time or (0 <= flags.max_failures < failures):
                log.fail("too many failures, aborting", str(error), failCount=failures)
                return 1
            log.fail("error syncing repo, will retry", str(error), failCount=failures)
        else:
            failures = 0
            log.succeed()
            synced.set()
            if syncer.current() != before:
                log.say("updated successfully", ref=flags.ref, remote=commit, syncCount=1)
            if flags.touch_file:
                Path(flags.root, flags.touch_file).touch()
            if flags.one_time:
                return 0
        time.sleep(flags.period)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
