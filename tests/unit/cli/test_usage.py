"""What every command has in common: exit codes, one line on stderr, and no imports that are not needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.cli import FakeCluster, invoke, run, workflow
from windlass import __version__
from windlass.cli.main import COMMANDS, program_name
from windlass.errors import Forbidden, NotFound, ServerError, Unauthorized, Unreachable

WRONG_USAGE = {
    "an unknown command": (
        ["stauts"],
        'windlass: there is no command "stauts"; did you mean "status"? (see windlass --help)',
    ),
    "an unknown command like no other": (["xyzzy"], 'windlass: there is no command "xyzzy" (see windlass --help)'),
    "no run": (["status"], "windlass status: Missing argument 'RUN' (see windlass status --help)"),
    "nothing to run": (
        ["run"],
        "windlass run: say which Workflow to run, or give a file with -f (see windlass run --help)",
    ),
    "a length of time that is none": (
        ["wait", "r", "--timeout", "soon"],
        "windlass wait: Invalid value for '--timeout': 'soon' is no length of time: write 90s, 5m or 1h30m "
        "(see windlass wait --help)",
    ),
    "an attempt of no task": (
        ["logs", "r", "--attempt", "2"],
        "windlass logs: --attempt needs a TASK (see windlass logs --help)",
    ),
    "detach what stops": (
        ["dev", "--detach", "stop"],
        "windlass dev: --detach is for starting: leave it out of stop (see windlass dev --help)",
    ),
    "phases of Workflows": (
        ["list", "workflows", "--phase", "Failed"],
        "windlass list: --workflow and --phase choose runs: leave them out, or list runs (see windlass list --help)",
    ),
}


@pytest.mark.parametrize("case", WRONG_USAGE.values(), ids=WRONG_USAGE.keys())
def test_wrong_usage(case: tuple[list[str], str]) -> None:
    args, message = case
    result = invoke(FakeCluster(), *args)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"{message}\n")


def test_without_a_command_the_help_is_shown() -> None:
    result = invoke(None)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "  status " in result.stderr


def test_the_version_is_told_by_a_command_and_by_an_option() -> None:
    asked = invoke(None, "--version")
    assert (asked.exit_code, asked.stdout) == (0, f"windlass {__version__}\n")
    assert invoke(None, "version").stdout == asked.stdout


def test_symbols_that_an_output_can_not_take_become_question_marks(tmp_path: Path) -> None:
    file = tmp_path / "workflow.yaml"
    tasks = [{"name": "a", "script": "true"}, {"name": "b", "script": "true", "dependsOn": ["a"]}]
    file.write_text(json.dumps(workflow("w", tasks)))
    done = subprocess.run(
        [sys.executable, "-m", "windlass", "graph", str(file)],
        env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"a ?? b\n", b"")


ANSWERS = {
    "no connection": (
        Unreachable("connection refused"),
        "windlass: can't reach the cluster: connection refused (is it running, and the right one? see --context and "
        "--kubeconfig)",
    ),
    "not let in": (
        Unauthorized("Unauthorized", 401, "Unauthorized"),
        "windlass: the cluster doesn't let you in: Unauthorized (check your kubeconfig, or log in again)",
    ),
    "no kubeconfig": (
        Unauthorized("no way into the cluster by the kubeconfig /x: not found", reason="LoginFailed"),
        "windlass: no way into the cluster by the kubeconfig /x: not found (name one with --kubeconfig, or start a "
        "development cluster: windlass dev)",
    ),
    "not allowed": (
        Forbidden('user "ada" cannot list workflowruns', 403, "Forbidden"),
        'windlass: not allowed: user "ada" cannot list workflowruns (ask an administrator for the right)',
    ),
    "no such kind": (
        NotFound("404 page not found", 404, "NotFound"),
        "windlass: the cluster doesn't know Windlass's kinds: install them with windlass crds | kubectl apply -f -",
    ),
    "a port": (OSError(98, "port 80 is taken"), "windlass: port 80 is taken"),
    "a file": (PermissionError(13, "Permission denied", "/x"), "windlass: /x: permission denied"),
    "any other": (ServerError("etcd is\n  away", 500), "windlass: etcd is away"),
}


@pytest.mark.parametrize("case", ANSWERS.values(), ids=ANSWERS.keys())
def test_answers_of_the_api(case: tuple[Exception, str]) -> None:
    error, message = case
    result = invoke(FakeCluster(answer=error), "list")  # type: ignore[arg-type]
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{message}\n")


def test_options_of_the_cluster() -> None:
    cluster = FakeCluster().add(run("r", "Succeeded"))
    invoke(cluster, "list", "-n", "other", "--context", "prod", "--kubeconfig", "/k")
    (target,) = cluster.targets
    assert (target.namespace, target.context, target.kubeconfig) == ("other", "prod", "/k")


@pytest.mark.parametrize("name", COMMANDS)
def test_help(name: str) -> None:
    result = invoke(None, name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: windlass {name}")


def test_version() -> None:
    assert invoke(None, "version").stdout == f"windlass {__version__}\n"
    assert invoke(None, "version", "-o", "json").stdout == f'{{\n  "version": "{__version__}"\n}}\n'


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    result = invoke(None, "completion", shell)
    assert result.exit_code == 0
    assert "_WINDLASS_COMPLETE" in result.stdout


def test_crds_are_what_the_directory_holds() -> None:
    import yaml

    from windlass.models import crd

    assert list(yaml.safe_load_all(invoke(None, "crds").stdout)) == list(crd.definitions().values())


def test_the_name_that_messages_use() -> None:
    assert program_name("/usr/local/bin/kubectl-windlass") == "kubectl windlass"
    assert program_name("/usr/local/bin/windlass") == "windlass"


def test_version_loads_no_more_than_it_needs() -> None:
    heavy = ("pydantic", "kopf", "kubernetes", "aiohttp", "rich", "yaml", "jinja2", "asyncio")
    code = (
        "import sys\nfrom windlass.cli.main import cli\n"
        "try:\n    cli(['version'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
