"""`windlass dev`, `dev stop` and `dev status`: the development cluster as a process of this machine.

One process holds the lock `<state>/dev.lock` as long as it runs, with its number in it: who finds the lock held knows
that the number is that of a development cluster with this very state, however numbers are used again.

    dev.lock   held while the cluster runs
    dev.json   how to reach it, written once it is ready
    dev.log    what it said, when it runs detached
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import click

from windlass.cli.failures import FAILED, OK, Failure

READY_WITHIN: Final = 60.0
STOPPED_WITHIN: Final = 20.0
LOOK_AGAIN: Final = 0.02
LAST_LINES: Final = 15

state_option = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Where the cluster keeps its state; by default ~/.local/state/windlass/dev.",
)


@click.group("dev", invoke_without_command=True)
@state_option
@click.option("--detach", is_flag=True, help="Return when it is ready, and print the path of its kubeconfig.")
@click.pass_context
def command(ctx: click.Context, state: Path | None, detach: bool) -> int | None:
    """Run a development cluster on this machine: a Kubernetes API, pods that are processes, and the controller.

    It needs no root, no Docker and no kubectl. What is real of it and what is not: docs/dev-cluster.md.
    """
    ctx.obj = state
    if ctx.invoked_subcommand is not None:
        if detach:
            raise click.UsageError(f"--detach is for starting: leave it out of {ctx.invoked_subcommand}")
        return None
    place = _state(state)
    return _detach(place) if detach else _run(place)


@command.command("stop")
@state_option
@click.pass_context
def stop(ctx: click.Context, state: Path | None) -> int:
    """Stop the development cluster; its state stays."""
    place = _state(state or ctx.obj)
    pid = running(place)
    if pid is None:
        click.echo(f"no development cluster runs with the state {place}", err=True)
        return OK
    _signal(pid, signal.SIGTERM)
    if not _until(lambda: running(place) != pid, STOPPED_WITHIN):
        click.echo("it did not end in time, and is killed", err=True)
        _signal(pid, signal.SIGKILL)
    _until(lambda: not _lives(pid), STOPPED_WITHIN)
    return OK


@command.command("status")
@state_option
@click.pass_context
def status(ctx: click.Context, state: Path | None) -> int:
    """Say whether the development cluster runs, and how to reach it; exit 1 when it doesn't run."""
    place = _state(state or ctx.obj)
    pid = running(place)
    about = _about(place, pid) if pid is not None else None
    if pid is None:
        click.echo(f"no development cluster runs with the state {place}")
        return FAILED
    if about is None:
        click.echo(f"starting, process {pid}")
        return FAILED
    click.echo(f"running, process {pid}")
    for key, words in (("kubeconfig", "kubeconfig"), ("url", "API"), ("mail", "mail kept in"), ("smtp", "mail server")):
        if about.get(key):
            click.echo(f"{words + ':':<14}{about[key]}")
    return OK


def running(state: Path) -> int | None:
    """The process that runs the cluster with this state; None when there is none."""
    try:
        with (state / "dev.lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _number(lock.read())
    except FileNotFoundError:
        pass
    return None


def _number(text: bytes) -> int | None:
    return int(text) if text.strip().isdigit() else None


def _run(state: Path) -> int:
    from windlass.dev.cluster import run_dev
    from windlass.dev.pods import HostUnfit

    with _held(state):
        (state / "dev.json").unlink(missing_ok=True)
        try:
            run_dev(state)
        except HostUnfit as error:
            raise Failure(str(error)) from error
        finally:
            (state / "dev.json").unlink(missing_ok=True)
    return OK


@contextmanager
def _held(state: Path) -> Iterator[None]:
    """Hold the lock of a state. Failure when another process has it."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "dev.lock").open("a+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(
                f"a development cluster runs with the state {state} already (see windlass dev status)"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())
        lock.flush()
        yield


def _detach(state: Path) -> int:
    pid = running(state)
    if pid is not None:
        click.echo(f"it runs already, process {pid}", err=True)
        about = _ready(state, pid, None)
    else:
        state.mkdir(parents=True, exist_ok=True)
        with (state / "dev.log").open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "windlass", "dev", "--state", str(state)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        about = _ready(state, child.pid, child)
    click.echo(about["kubeconfig"])
    return OK


def _ready(state: Path, pid: int, child: subprocess.Popen[bytes] | None) -> dict[str, Any]:
    """Wait until the cluster says how to reach it. Failure when it ends before, or takes too long."""
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end:
        if (about := _about(state, pid)) is not None:
            return about
        if child is not None and child.poll() is not None:
            raise Failure(f"the development cluster ended while it started:\n{_last_lines(state)}")
        if child is None and running(state) != pid:
            raise Failure(f"the development cluster ended while it started: see {state / 'dev.log'}")
        time.sleep(LOOK_AGAIN)
    if child is not None:
        child.terminate()
    raise Failure(f"the development cluster was not ready after {READY_WITHIN:.0f} s:\n{_last_lines(state)}")


def _about(state: Path, pid: int) -> dict[str, Any] | None:
    """What `dev.json` says, when this process has written it."""
    try:
        about = json.loads((state / "dev.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # not there, or not written to its end
        return None
    return about if isinstance(about, dict) and about.get("pid") == pid else None


def _last_lines(state: Path) -> str:
    text = (state / "dev.log").read_text(encoding="utf-8", errors="replace")
    return "\n".join(f"  {line}" for line in text.splitlines()[-LAST_LINES:])


def _until(condition: Any, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(LOOK_AGAIN)
    return False


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    # A zombie has ended: only its parent has not yet asked how.
    return stat.rpartition(")")[2].split()[:1] != ["Z"]


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _state(said: Path | None) -> Path:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return (said if said is not None else Path(base) / "windlass" / "dev").absolute()
