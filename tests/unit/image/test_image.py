"""The Dockerfile keeps the rules of a small and safe image, and the layer that it copies starts where it will lie."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "Dockerfile").read_text()
BUILD, LAST = re.split(r"^FROM ", TEXT, flags=re.MULTILINE)[1:]
SPEC = importlib.util.spec_from_file_location("layer", ROOT / "image" / "layer.py")
assert SPEC is not None
assert SPEC.loader is not None
layer = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(layer)


def instructions(stage: str) -> list[tuple[str, str]]:
    """The instructions of a stage, with their arguments."""
    joined = re.sub(r"\\\n\s*", "", stage)
    lines = [line for line in joined.splitlines()[1:] if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_both_stages_are_on_one_base_pinned_by_a_digest() -> None:
    arguments = dict(re.findall(r"^ARG (PYTHON_\w+)=(\S+)$", TEXT, re.MULTILINE))
    assert "-slim" in arguments["PYTHON_TAG"]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", arguments["PYTHON_DIGEST"])
    bases = {stage.split()[0] for stage in (BUILD, LAST)}
    assert bases == {"docker.io/library/python:${PYTHON_TAG}@${PYTHON_DIGEST}"}


def test_nothing_is_run_in_the_last_stage_and_only_the_layer_is_copied() -> None:
    found = instructions(LAST)
    assert [word for word, _ in found if word in ("RUN", "ADD", "VOLUME")] == []
    assert [rest for word, rest in found if word == "COPY"] == ["--from=build /layer/ /"]


def test_who_runs_what() -> None:
    found = dict(instructions(LAST))
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", found["USER"])
    assert (found["ENTRYPOINT"], found["CMD"]) == ('["windlass"]', '["controller"]')


def test_labels() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.([\w.]+)="([^"]*)"', TEXT))
    wanted = {"title", "description", "licenses", "version", "revision", "created", "base.name", "base.digest"}
    assert set(labels) == wanted
    assert all(labels.values())


def test_what_is_built_from_is_let_through() -> None:
    """Each file that the build stage copies is in the build's context."""
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_through = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    copied = [source for word, rest in instructions(BUILD) if word == "COPY" for source in rest.split()[:-1]]
    assert [one for one in copied if not any(line.startswith(one) for line in let_through)] == []
    assert [one for one in let_through if not (ROOT / one).exists()] == []


def test_the_version_is_that_of_the_project() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert f"ARG VERSION={version[1]}\n" in TEXT


def test_programs_start_by_the_interpreter_of_the_image(tmp_path: Path) -> None:
    """The layout of a virtual environment, for an interpreter that lies elsewhere than the one that made it."""
    home = tmp_path / "opt" / "windlass"
    home.mkdir(parents=True)
    layer.write_programs(home, sys.executable)
    assert (home / "bin" / "windlass").read_text().splitlines()[0] == "#!/opt/windlass/bin/python3"
    packages = home / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    packages.mkdir(parents=True)
    asked = [str(home / "bin" / "python3"), "-c", "import sys; print(sys.prefix, sys.path[-1])"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    assert said == [str(home), str(packages)]


def test_all_programs_of_the_project_are_in_the_image() -> None:
    scripts = re.findall(
        r'^([\w-]+) = "windlass\.cli\.main:main"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    assert set(layer.PROGRAMS) == set(scripts)


def test_make_says_what_is_missing() -> None:
    done = subprocess.run(
        ["make", "-C", str(ROOT), "image", "ENGINE=no-such-engine"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "docker or podman is needed, and running: no-such-engine info fails" in done.stderr


@pytest.mark.parametrize("unused", layer.UNUSED)
def test_what_is_left_out_is_imported_by_nobody(unused: str) -> None:
    module = unused.replace("/", ".")
    found = subprocess.run(["grep", "-rlE", rf"(from|import) {module}\b", str(ROOT / "operator")], check=False)
    assert found.returncode == 1
