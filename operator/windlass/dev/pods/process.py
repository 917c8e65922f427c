"""A sandboxed process: started, signalled, awaited.

    this process ── bwrap (monitor) ── the container's program, process 1 of its namespace

The monitor dies with this process and takes the whole namespace with it, however this process ends. Signals go to the
program itself, past the monitor. As on Kubernetes, process 1 ignores TERM unless it handles it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

_CHUNK: Final = 256 * 1024
_SET_PIPE_SIZE: Final = 1031
"""F_SETPIPE_SZ of fcntl(2)."""

_DRAIN: Final = 5.0
"""Seconds that output may still come once all processes have ended."""

Output = Callable[[bytes], None]


class Process:
    """One container's program. Make it with `start`."""

    def __init__(self, popen: subprocess.Popen[bytes], output_fd: int, output: Output) -> None:
        self._popen = popen
        self._output_fd = output_fd
        self._output = output
        self._loop = asyncio.get_running_loop()
        self._exited = self._loop.create_future()
        self._drained = self._loop.create_future()
        self._pid_fd = os.pidfd_open(popen.pid)
        self._loop.add_reader(self._pid_fd, self._on_exit)
        self._loop.add_reader(output_fd, self._on_output)

    async def wait(self) -> int:
        """The exit code, once everything that the container wrote was taken: 128 + n when signal n killed it."""
        await self._exited
        await self._drained
        return int(self._exited.result())

    def terminate(self) -> None:
        """Ask the program to end."""
        program = self._program()
        if program is None or _is_setting_up(program):
            self.kill()
        else:
            self._signal(program, signal.SIGTERM)

    def kill(self) -> None:
        """End the program and all its children at once."""
        program = self._program()
        if program is None:
            # A monitor that dies while its child is being made would leave it behind: it must stand still first.
            self._signal(self._popen.pid, signal.SIGSTOP)
            program = self._program()
        if program is None:
            self._signal(self._popen.pid, signal.SIGKILL)
        else:
            self._signal(program, signal.SIGKILL)
            self._signal(self._popen.pid, signal.SIGCONT)

    def _signal(self, pid: int, number: signal.Signals) -> None:
        if not self._exited.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _program(self) -> int | None:
        pid = self._popen.pid
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return None
        return int(children[0]) if children else None

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._pid_fd)
        os.close(self._pid_fd)
        code = self._popen.wait()
        self._loop.call_later(_DRAIN, self._end_output)
        if not self._exited.done():
            self._exited.set_result(code if code >= 0 else 128 - code)

    def _on_output(self) -> None:
        try:
            data = os.read(self._output_fd, _CHUNK)
        except BlockingIOError:
            return
        if data:
            self._output(data)
        else:
            self._end_output()

    def _end_output(self) -> None:
        if not self._drained.done():
            self._loop.remove_reader(self._output_fd)
            os.close(self._output_fd)
            self._drained.set_result(None)


def _is_setting_up(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "bwrap"
    except OSError:
        return True


def start(command: Sequence[str], environment: Mapping[str, str], output: Output) -> Process:
    """Start `command`; `output` takes what it writes on stdout and stderr. Raises OSError."""
    # Not asyncio's subprocess: its child watcher costs a thread per process.
    reading, writing = os.pipe2(os.O_CLOEXEC)
    try:
        os.set_blocking(reading, False)
        with contextlib.suppress(OSError):  # a user's limit of pipe memory: a smaller pipe does as well
            fcntl.fcntl(reading, _SET_PIPE_SIZE, _CHUNK)
        popen = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            cwd="/",
            start_new_session=True,
        )
    except OSError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return Process(popen, reading, output)
