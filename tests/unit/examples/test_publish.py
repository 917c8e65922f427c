"""examples/publish.py: an example in a git repository of its own, at the path that its manifest names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.examples import EXAMPLES, NAMES, ROOT


def publish(*arguments: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "publish.py", *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def git(*arguments: str | Path) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("example", [name for name in NAMES if (EXAMPLES / name / "tasks").is_dir()])
def test_the_repository_has_the_code_at_the_manifest_s_path(tmp_path: Path, example: str) -> None:
    code, manifest, error = publish(EXAMPLES / example, "--to", tmp_path / "source")
    assert (code, error) == (0, "")
    (found,) = (each for each in yaml.safe_load_all(manifest) if each["kind"] == "Workflow")
    source = found["spec"]["source"]["git"]
    assert source["repo"] == (tmp_path / "source" / f"{example}.git").as_uri()
    git("clone", "--quiet", "--depth", "1", "--branch", source["ref"], source["repo"], tmp_path / "checkout")
    tasks = EXAMPLES / example / "tasks"
    published = tmp_path / "checkout" / source["path"]
    expected = {
        path.relative_to(tasks): path.read_bytes()
        for path in tasks.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {p.relative_to(published): p.read_bytes() for p in published.rglob("*") if p.is_file()} == expected
    upstream = (EXAMPLES / example / "workflow.yaml").read_text(encoding="utf-8")
    assert manifest.replace(source["repo"], "https://github.com/windlass/windlass.git") == upstream


def test_publishing_again_without_a_change_makes_no_commit(tmp_path: Path) -> None:
    for _ in range(2):
        assert publish(EXAMPLES / "daily-sales-etl", "--to", tmp_path)[0] == 0
    assert git("-C", tmp_path / "daily-sales-etl.git", "rev-list", "--count", "main") == "1"


def test_it_works_from_anywhere_and_inside_a_git_hook(tmp_path: Path) -> None:
    hook = {"GIT_DIR": str(ROOT / ".git"), "GIT_INDEX_FILE": str(tmp_path / "index"), "HOME": str(tmp_path)}
    code, _, error = publish(EXAMPLES / "daily-sales-etl", "--to", "source", cwd=tmp_path, env=hook)
    assert (code, error) == (0, "")
    assert git("-C", tmp_path / "source" / "daily-sales-etl.git", "rev-list", "--count", "main") == "1"


def test_an_example_without_a_source_needs_no_repository(tmp_path: Path) -> None:
    code, manifest, _ = publish(EXAMPLES / "hello", "--to", tmp_path / "source")
    assert (code, manifest) == (0, (EXAMPLES / "hello" / "workflow.yaml").read_text(encoding="utf-8"))
    assert not (tmp_path / "source").exists()


def test_the_repository_goes_where_the_development_cluster_s_pods_see_it(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    code, manifest, error = publish(EXAMPLES / "daily-sales-etl", env={"KUBECONFIG": str(tmp_path / "kubeconfig")})
    assert (code, error) == (0, "")
    assert (tmp_path / "shared" / "source" / "daily-sales-etl.git").as_uri() in manifest


@pytest.mark.parametrize("env", [{}, {"KUBECONFIG": "/nowhere/kubeconfig"}], ids=["none", "another's"])
def test_without_a_development_cluster_it_says_how_to_get_one(env: dict[str, str]) -> None:
    code, manifest, error = publish(EXAMPLES / "daily-sales-etl", env=env)
    assert (code, manifest) == (1, "")
    assert error.endswith("export KUBECONFIG=$(windlass dev --detach)\n")


def test_what_is_no_example_is_named(tmp_path: Path) -> None:
    code, manifest, error = publish(tmp_path / "nothing", "--to", tmp_path)
    assert (code, manifest) == (1, "")
    assert error.startswith(f"can't publish {tmp_path / 'nothing'}: [Errno 2] No such file")
