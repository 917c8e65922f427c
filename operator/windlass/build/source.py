"""Code for the tasks: git-sync's containers, the volume between them and the task, and the step that resolves a ref.

volume  /windlass/git                      mounted in git-sync's containers and in the task's
        /windlass/git/.worktrees/<commit>  the checkout; the task sees it at `mountPath` too
        /windlass/git/current              a link to it, which moves when `follow` is true
"""

from __future__ import annotations

import posixpath
from typing import Any, Final

from windlass import names
from windlass.build.request import PodRequest
from windlass.build.security import as_task_user
from windlass.models.common import seconds
from windlass.models.workflow import GitSource

JsonObject = dict[str, Any]

VOLUME: Final = "windlass-source"
SECRET_VOLUME: Final = "windlass-git-secret"
ROOT: Final = "/windlass/git"
LINK: Final = "current"
SECRET_ROOT: Final = "/windlass/git-secret"
FOLLOWER: Final = f"{names.SOURCE_CONTAINER}-follow"
SSH_KEY: Final = "ssh-privatekey"
KNOWN_HOSTS: Final = "known_hosts"
USERNAME: Final = "username"
PASSWORD: Final = "password"

_RESOLVE: Final = f"""\
target=$(readlink {ROOT}/{LINK})
printf '{{"commit": "%s"}}' "${{target##*/}}" > "$WINDLASS_OUTPUTS"
"""
"""Tells the commit: the last part of the link's target is its hash."""
_FETCH: Final = f"""\
trap 'kill "$pid"' TERM INT
/git-sync "$@" & pid=$!
wait "$pid" || exit
printf 'gitdir: %s\\n' {ROOT}/.git/worktrees/COMMIT > {ROOT}/.worktrees/COMMIT/.git
"""
"""Fetches, and makes the way from the checkout to the repository absolute: git-sync makes it relative, which leads
nowhere from `mountPath`, where the checkout is mounted by itself."""


def checkout(source: GitSource) -> str:
    """The directory of the checkout in the main container."""
    return posixpath.join(source.mount_path, LINK) if source.follow else source.mount_path


def working_dir(source: GitSource, said: str | None) -> str:
    """The directory that a task starts in: the source's `path`, or what the task says, from there."""
    path = posixpath.join(checkout(source), (source.path or "").lstrip("/"), said or "")
    return posixpath.normpath(path)


def init_containers(request: PodRequest, source: GitSource) -> list[JsonObject]:
    """The containers that fetch the source: once, at the commit where it is known, and then perhaps on and on."""
    ref = source.ref if request.commit is None else request.commit
    once = _git_sync(request, source, names.SOURCE_CONTAINER, ref, ["--one-time"])
    if request.is_source_step or request.commit is None:
        return [once]
    if not source.follow:
        script = _FETCH.replace("COMMIT", request.commit).replace("$", "$$")
        return [{**once, "command": ["bash", "-c", script, names.SOURCE_CONTAINER]}]
    follow = [f"--period={_whole_seconds(source.period)}", "--max-failures=-1", "--stale-worktree-timeout=1h"]
    return [once, {**_git_sync(request, source, FOLLOWER, source.ref, follow), "restartPolicy": "Always"}]


def volumes(source: GitSource) -> list[JsonObject]:
    """The volume of the checkout, and that of the credentials where files are needed."""
    found: list[JsonObject] = [{"name": VOLUME, "emptyDir": {}}]
    if source.secret_name is not None:
        keys = (SSH_KEY, KNOWN_HOSTS) if is_ssh(source.repo) else (PASSWORD,)
        secret = {
            "secretName": source.secret_name,
            "defaultMode": 0o400,
            # The kubelet names a Secret or a key that is missing when a variable wants it, and git-sync names a file;
            # of a volume that can't be mounted a pod says nothing.
            "optional": True,
            "items": [{"key": key, "path": key} for key in keys],
        }
        found.append({"name": SECRET_VOLUME, "secret": secret})
    return found


def mounts(source: GitSource, commit: str) -> list[JsonObject]:
    """The main container's mounts: the checkout, and beside it the repository that its `.git` refers to."""
    here: JsonObject = {"name": VOLUME, "mountPath": source.mount_path}
    if not source.follow:
        here["subPath"] = f".worktrees/{commit}"
    return [{"name": VOLUME, "mountPath": ROOT}, here]


def environment() -> dict[str, str]:
    """What lets git in the main container trust a checkout that another user may own."""
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}


def resolver() -> JsonObject:
    """What the main container of the source step runs, in git-sync's image."""
    return {
        "command": ["bash", "-euc", _RESOLVE.replace("$", "$$")],
        "volumeMounts": [{"name": VOLUME, "mountPath": ROOT, "readOnly": True}],
    }


def is_ssh(repo: str) -> bool:
    """Whether a repository is reached by ssh: `ssh://…`, or `user@host:path`."""
    scheme, separator, _ = repo.partition("://")
    if separator:
        return scheme in ("ssh", "git+ssh", "ssh+git")
    return ":" in repo.partition("/")[0]


def _git_sync(request: PodRequest, source: GitSource, name: str, ref: str, mode: list[str]) -> JsonObject:
    resolving = request.is_source_step
    arguments = [
        f"--repo={source.repo}",
        f"--ref={ref}",
        f"--root={ROOT}",
        f"--link={LINK}",
        f"--depth={1 if resolving else source.depth}",
        f"--submodules={'off' if resolving else source.submodules.lower()}",
        "--group-write",
        "--sync-timeout=10m",
    ]
    container: JsonObject = {
        "name": name,
        "image": request.installation.git_sync_image,
        "env": [{"name": "HOME", "value": "/tmp"}],
        "securityContext": as_task_user(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": VOLUME, "mountPath": ROOT}],
    }
    if request.installation.git_sync_resources:
        container["resources"] = dict(request.installation.git_sync_resources)
    container["args"] = [argument.replace("$", "$$") for argument in [*arguments, *mode]]
    if source.secret_name is not None:
        container["volumeMounts"].append({"name": SECRET_VOLUME, "mountPath": SECRET_ROOT, "readOnly": True})
        container["args"] += _credentials(source.repo)
        wanted = ("GIT_KNOWN_HOSTS", KNOWN_HOSTS) if is_ssh(source.repo) else ("GIT_USERNAME", USERNAME)
        reference = {"secretKeyRef": {"name": source.secret_name, "key": wanted[1]}}
        container["env"].append({"name": wanted[0], "valueFrom": reference})
    return container


def _credentials(repo: str) -> list[str]:
    if is_ssh(repo):
        return [
            f"--ssh-key-file={SECRET_ROOT}/{SSH_KEY}",
            "--ssh-known-hosts",
            f"--ssh-known-hosts-file={SECRET_ROOT}/{KNOWN_HOSTS}",
            "--add-user",
        ]
    # Kubernetes puts the variable's value in; the password stays a file.
    return ["--username=$(GIT_USERNAME)", f"--password-file={SECRET_ROOT}/{PASSWORD}"]


def _whole_seconds(duration: str) -> str:
    return f"{max(1, round(seconds(duration)))}s"
