"""How the development cluster is started beside a shell, found, and stopped. A stand-in plays the cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

STAND_IN = """
import json, os, signal, sys, threading
from pathlib import Path

class HostUnfit(Exception):
    pass

def run_dev(state):
    how = os.environ["STAND_IN"]
    if how == "unfit":
        raise HostUnfit("bubblewrap is missing: apt install bubblewrap")
    if how == "broken":
        sys.exit("it can't")
    end = threading.Event()
    if how == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: end.set())
    about = {"pid": os.getpid(), "kubeconfig": str(state / "kubeconfig"), "url": "https://127.0.0.1:1", "smtp": None}
    (state / "dev.json").write_text(json.dumps(about))
    end.wait()
"""

Windlass = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def windlass(tmp_path: Path) -> Iterator[Windlass]:
    """The command, in which the cluster is the stand-in."""
    path = tmp_path / "site"
    path.mkdir()
    (path / "stand_in.py").write_text(STAND_IN, encoding="utf-8")
    (path / "sitecustomize.py").write_text(
        "import sys, stand_in\n"
        "sys.modules['windlass.dev.cluster'] = stand_in\n"
        "sys.modules['windlass.dev.pods'] = stand_in\n",
        encoding="utf-8",
    )

    def call(*args: str, how: str = "well", state: Path = tmp_path / "state") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "windlass", "dev", *args, "--state", str(state)],
            env={**os.environ, "PYTHONPATH": str(path), "STAND_IN": how},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    yield call
    call("stop")


def test_a_cluster_from_start_to_stop(windlass: Windlass, tmp_path: Path) -> None:
    state = tmp_path / "state"
    started = windlass("--detach")
    assert (started.returncode, started.stdout, started.stderr) == (0, f"{state}/kubeconfig\n", "")
    pid = (state / "dev.lock").read_text()

    again = windlass("--detach")
    assert (again.returncode, again.stdout) == (0, started.stdout)
    assert again.stderr == f"it runs already, process {pid}\n"

    beside = windlass()
    assert (beside.returncode, beside.stdout) == (1, "")
    assert beside.stderr == (
        f"windlass: a development cluster runs with the state {state} already (see windlass dev status)\n"
    )

    told = windlass("status")
    assert (told.returncode, told.stdout) == (
        0,
        f"running, process {pid}\nkubeconfig:   {state}/kubeconfig\nAPI:          https://127.0.0.1:1\n",
    )
    assert windlass("stop").returncode == 0
    assert not (state / "dev.json").exists()
    gone = windlass("status")
    assert (gone.returncode, gone.stdout) == (1, f"no development cluster runs with the state {state}\n")
    once_more = windlass("stop")
    assert (once_more.returncode, once_more.stderr) == (0, f"no development cluster runs with the state {state}\n")


def test_a_cluster_that_can_not_start(windlass: Windlass, tmp_path: Path) -> None:
    unfit = windlass("--detach", how="unfit")
    assert (unfit.returncode, unfit.stdout) == (1, "")
    assert unfit.stderr == (
        "windlass: the development cluster ended while it started:\n"
        "  windlass: bubblewrap is missing: apt install bubblewrap\n"
    )
    assert windlass(how="unfit").stderr == "windlass: bubblewrap is missing: apt install bubblewrap\n"
    broken = windlass("--detach", how="broken")
    assert broken.stderr == "windlass: the development cluster ended while it started:\n  it can't\n"


def test_what_an_earlier_cluster_left_is_not_taken_for_a_running_one(windlass: Windlass, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "dev.json").write_text(f'{{"pid": {os.getpid()}, "kubeconfig": "/old"}}', encoding="utf-8")
    (state / "dev.lock").write_text(str(os.getpid()), encoding="utf-8")
    assert windlass("status").returncode == 1
    assert windlass("stop").returncode == 0
    assert windlass("--detach").stdout == f"{state}/kubeconfig\n"


def test_a_cluster_that_does_not_listen_is_killed(
    windlass: Windlass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from windlass.cli import dev

    windlass("--detach", how="deaf")
    monkeypatch.setattr(dev, "STOPPED_WITHIN", 0.5)
    result = CliRunner().invoke(dev.command, ["stop", "--state", str(tmp_path / "state")], standalone_mode=False)
    assert (result.return_value, result.stderr) == (0, "it did not end in time, and is killed\n")
    assert dev.running(tmp_path / "state") is None
