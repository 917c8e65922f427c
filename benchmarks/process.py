"""A controller process, and what the kernel says about it."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
import urllib.request
from asyncio.subprocess import Process
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
TICKS: Final = os.sysconf("SC_CLK_TCK")
READY_WITHIN: Final = 60.0
_SAMPLE: Final = re.compile(r"^windlass_api_requests_total\{([^}]*)\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Controller:
    """A `windlass controller` that runs."""

    pid: int
    url: str

    def cpu(self) -> float:
        """Seconds of processor time so far, all threads."""
        return cpu_of(Path(f"/proc/{self.pid}/stat"))

    def threads(self) -> dict[str, float]:
        """Seconds of processor time by thread."""
        found: defaultdict[str, float] = defaultdict(float)
        main = str(self.pid)
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            found["main" if task.name == main else (task / "comm").read_text().strip()] += cpu_of(task / "stat")
        return dict(found)

    def rss(self) -> float:
        """MiB of resident memory."""
        return memory_of(self.pid, "status", "VmRSS")

    async def requests(self) -> Counter[str]:
        """Requests so far, by verb and resource."""
        text = await asyncio.to_thread(self._metrics)
        found: Counter[str] = Counter()
        for labels, value in _SAMPLE.findall(text):
            parts = dict(part.split("=", 1) for part in labels.replace('"', "").split(","))
            found[f"{parts['verb']} {parts['resource']}"] += int(float(value))
        return found

    def leads(self) -> bool:
        """Whether it says that it is at work, and not that it stands by; its port is another where it began anew."""
        (port,) = _listening(self.pid)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30) as answer:
            return not answer.read().startswith(b"ok: standing by")

    def _metrics(self) -> str:
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:
            text: str = answer.read().decode()
        return text


def cpu_of(stat: Path) -> float:
    """The user and system time that a process or thread has used."""
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_of(pid: int, file: str, key: str) -> float:
    """A figure of /proc in MiB."""
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"{key} in {file} of process {pid}")


@asynccontextmanager
async def controller(
    kubeconfig: Path, namespace: str, log: Path, profile: Path | None = None
) -> AsyncIterator[Controller]:
    """A controller while the block lasts; with `profile`, one that writes a profile there at its end.

    Should it end before, so does the block.
    """
    measuring = asyncio.current_task()
    assert measuring is not None
    async with started(kubeconfig, namespace, log, profile) as process:
        running = await ready(process, log)
        waiting = asyncio.create_task(process.wait())
        waiting.add_done_callback(lambda ended: None if ended.cancelled() else measuring.cancel())
        try:
            yield running
        except asyncio.CancelledError:
            if waiting.done():
                raise ChildProcessError(_last_words(log)) from None
            raise
        finally:
            waiting.cancel()


@asynccontextmanager
async def started(kubeconfig: Path, namespace: str, log: Path, profile: Path | None = None) -> AsyncIterator[Process]:
    """A controller's process while the block lasts."""
    program = ["-m", "windlass"] if profile is None else [str(HERE / "profiled.py"), str(profile)]
    command = [*program, "controller", "--metrics-port", "0", "--metrics-host", "127.0.0.1"]
    command += ["--kubeconfig", str(kubeconfig), "--lease-namespace", namespace]
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=out, stderr=out)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def ready(process: Process, log: Path) -> Controller:
    """The controller, once it says that it is ready."""
    return Controller(process.pid, await asyncio.to_thread(_ready_url, process.pid, log))


def _ready_url(pid: int, log: Path) -> str:
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end:
        for port in _listening(pid):
            url = f"http://127.0.0.1:{port}"
            try:
                with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
                    if answer.status == 200:
                        return url
            except OSError:
                continue
        time.sleep(0.05)
    raise TimeoutError(_last_words(log))


def _listening(pid: int) -> list[int]:
    """The ports that a process listens at."""
    try:
        links = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return [int(row[1].partition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in inodes]


def _last_words(log: Path) -> str:
    return f"the controller has ended, or is not ready: {log.read_text()[-2000:]}"
