"""A reader's terminals: commands of the pages are typed as they stand there, in one working tree, for one cluster."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from support.readme import checkout

WITHIN: Final = 120.0
ENDLESS: Final[Mapping[str, str]] = {
    "windlass controller": "metrics at http",
    "kubectl get workflowruns -w": r"hello-1 +hello +Succeeded +2/2",
}
"""Commands that go on until they are stopped, and what they must have said by then, as a pattern."""


@dataclass
class Terminals:
    """Shells in a directory of the tests, with a kubeconfig; those that still run are ended with the block."""

    directory: Path
    kubeconfig: Path
    _tree: Path = field(init=False)
    _going: list[tuple[subprocess.Popen[str], Path, str]] = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        self._tree = checkout(self.directory)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process, _, _ in self._going:
            process.terminate()
            process.wait(timeout=30)

    def type(self, commands: Iterable[str], *, left_out: Iterable[str] = (), more: str = "") -> str:
        """Type commands one after the other, with `more` behind each; all that they printed.

        Each must succeed; an endless one, which gets a terminal of its own, must say what it is for in the end.
        """
        said = ""
        begun = len(self._going)
        for command in commands:
            if command in ENDLESS:
                if command not in left_out:
                    self._go_on(command)
            elif command not in left_out:
                said += self._wait_for(f"{command} {more}")
        for process, log, words in self._going[begun:]:
            _says(process, log, words)
        return said

    def _environment(self) -> str:
        return f'export KUBECONFIG={self.kubeconfig} PATH="{self._tree}/.venv/bin:$PATH"\n'

    def _wait_for(self, command: str) -> str:
        shell = ["bash", "-euc", self._environment() + command]
        done = subprocess.run(shell, cwd=self._tree, capture_output=True, text=True, check=False, timeout=WITHIN)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _go_on(self, command: str) -> None:
        path = self.directory / f"terminal-{len(self._going)}"
        shell = ["bash", "-euc", f"{self._environment()}exec {command}"]
        with path.open("w") as log:
            process = subprocess.Popen(shell, cwd=self._tree, stdout=log, stderr=log, text=True)
        self._going.append((process, path, ENDLESS[command]))


def _says(process: subprocess.Popen[str], log: Path, words: str) -> None:
    end = time.monotonic() + WITHIN
    while not re.search(words, log.read_text(encoding="utf-8")):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < end, log.read_text(encoding="utf-8")
        time.sleep(0.2)
