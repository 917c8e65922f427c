"""A controller process, as an administrator starts it."""

from __future__ import annotations

import re
import signal
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from support.clusters import WINDLASS

READY_WITHIN = 60.0


@dataclass
class Controller:
    """A controller process, which tests may kill and start again. Ready means that it acts: a standby is not."""

    kubeconfig: Path
    namespace: str
    log: Path
    arguments: tuple[str, ...] = ()
    ready_when: str = "ok\n"
    """What it says, as a pattern, when it is started: by default that it is at work."""
    process: subprocess.Popen[bytes] | None = None
    metrics: str = field(default="", init=False)

    def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        command = [str(WINDLASS), "controller", "--metrics-port", "0", "--metrics-host", "127.0.0.1"]
        command += ["--kubeconfig", str(self.kubeconfig), "--lease-namespace", self.namespace, *self.arguments]
        begin = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + READY_WITHIN
        while time.monotonic() < end:
            said = self.log.read_bytes()[begin:].decode()
            assert self.process.poll() is None, said
            urls = [line.rpartition(" ")[2] for line in said.splitlines() if "metrics at " in line]
            if urls and self._ready(urls[0].removesuffix("/metrics")):
                self.metrics = urls[0]
                return
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        """End it between two instructions."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it in order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)

    def says(self, *words: str, within: float = READY_WITHIN) -> None:
        """Wait until its log has these words, one after the other; it goes on meanwhile."""
        end = time.monotonic() + within
        while True:
            rest = self.log.read_text()
            for one in words:
                _, found, rest = rest.partition(one)
                if not found:
                    break
            else:
                return
            assert self.process is not None and self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, f"not within {within} s: {one}\n{self.log.read_text()}"
            time.sleep(0.1)

    def read_metrics(self) -> str:
        with urllib.request.urlopen(self.metrics, timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def _ready(self, url: str) -> bool:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
                return re.fullmatch(self.ready_when, answer.read().decode()) is not None
        except OSError:
            return False
