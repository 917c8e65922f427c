"""Code by git on a real kubelet: one commit a run, followed when that is wished, and git's own words when it fails."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.clusters import Cluster, phases, task
from support.git_server import PASSWORD, USER, GitServer
from support.images import GIT_SYNC
from support.kubectl import kubectl, objects

pytestmark = pytest.mark.cluster

NO_LOGIN, WRONG_LOGIN, LOGIN = "no-login", "wrong-login", "login"
SAY = """\
cd "$WINDLASS_SOURCE"
printf '{"version": "%s", "head": "%s", "told": "%s", "here": "%s"}' \
  "$(cat version)" "$(git rev-parse HEAD)" "$WINDLASS_COMMIT" "$PWD" > "$WINDLASS_OUTPUTS"
"""


def definition(repo: str, script: str, **git: Any) -> dict[str, Any]:
    """A definition of one task in git-sync's image, which has git."""
    defaults = {"image": GIT_SYNC, "startTimeout": "30s"}
    return {
        "source": {"git": {"repo": repo, "ref": "main", **git}},
        "taskDefaults": defaults,
        "tasks": [{"name": "a", "script": script}],
    }


def secret(cluster: Cluster, name: str, user: str, password: str) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": cluster.namespace},
        "stringData": {"username": user, "password": password},
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(body))


FAILURES: dict[str, tuple[dict[str, Any], str]] = {
    "a ref that is not there": ({"repo": "code", "ref": "nope"}, "fatal: couldn't find remote ref nope"),
    "a repository that is not there": ({"repo": "none"}, "repository 'http://git.{namespace}"),
    "no login": ({"repo": "private/code"}, " for 'http://git.{namespace}"),
    "a wrong login": ({"repo": "private/code", "secretName": WRONG_LOGIN}, "fatal: Authentication failed for "),
    "a Secret that is not there": ({"repo": "private/code", "secretName": NO_LOGIN}, f'secret "{NO_LOGIN}" not found'),
}
READS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a login": ({"repo": "private/code", "secretName": LOGIN}, "cat version", "secret"),
    "a path": ({"repo": "code", "path": "jobs/daily"}, "cat inner", "of jobs"),
    "submodules": ({"repo": "code"}, "cat lib/inner", "of lib"),
    "no submodules": ({"repo": "code", "submodules": "Off"}, "ls lib | wc -l | tr -d ' '", "0"),
    "all of the history": ({"repo": "code", "depth": 0}, "git rev-list --count HEAD", "2"),
    "no history": ({"repo": "code"}, "git rev-list --count HEAD", "1"),
    "another place": ({"repo": "code", "mountPath": "/code"}, "cat /code/version", "2"),
}


def run_of(case: str) -> str:
    """The name of the run of a row."""
    return "git-" + case.lower().replace(" ", "-")


@pytest.fixture(scope="module")
def git(cluster: Cluster, git_server: GitServer) -> GitServer:
    """The git server with what these tests read from it; the runs of all rows have been started."""
    git_server.commit("lib", {"inner": "of lib"})
    git_server.commit("code", {"version": "1", "jobs/daily/inner": "of jobs"})
    git_server.commit("code", {"version": "2"}, submodule="lib")
    git_server.commit("private/code", {"version": "secret"})
    secret(cluster, LOGIN, USER, PASSWORD)
    secret(cluster, WRONG_LOGIN, USER, "something else")
    rows = {case: (fields, "true") for case, (fields, _) in FAILURES.items()}
    rows |= {
        case: (fields, f"""said=$({command})\nprintf '{{"said": "%s"}}' "$said" > "$WINDLASS_OUTPUTS\"""")
        for case, (fields, command, _) in READS.items()
    }
    specs = {}
    for case, (fields, script) in rows.items():
        more = {name: value for name, value in fields.items() if name != "repo"}
        specs[run_of(case)] = {"workflowSpec": definition(git_server.url(fields["repo"]), script, **more)}
    cluster.start_all(specs)
    return git_server


def test_every_pod_has_the_commit_that_was_resolved_once(cluster: Cluster, git: GitServer) -> None:
    first = git.commit("moving", {"version": "1"})
    spec = definition(git.url("moving"), "sleep 6\n" + SAY)
    spec["tasks"] += [
        {"name": "b", "dependsOn": ["a"], "script": SAY},
        {"name": "c", "dependsOn": ["a"], "script": "exit 1", "retry": {"limit": 1, "delay": "0s"}},
        {"name": "d", "dependsOn": ["c"], "triggerRule": "AllDone", "script": SAY},
    ]
    cluster.start("git-once", spec)
    status = cluster.until("git-once", lambda status: phases(status).get("a") == "Running")
    assert status["source"]["commit"] == first
    second = git.commit("moving", {"version": "2"})
    status = cluster.ended("git-once")
    assert phases(status) == {"a": "Succeeded", "b": "Succeeded", "c": "Failed", "d": "Succeeded"}
    said = {"version": "1", "head": first, "told": first, "here": "/workspace/src"}
    assert [task(status, name)["outputs"] for name in "abd"] == [said] * 3
    assert (status["source"]["commit"], len(status["source"]["step"]["attempts"])) == (first, 1)
    cluster.start("git-again", definition(git.url("moving"), SAY))
    assert cluster.ended("git-again")["source"]["commit"] == second


def test_a_following_pod_sees_a_new_commit_and_ends_with_its_task(cluster: Cluster, git: GitServer) -> None:
    first = git.commit("followed", {"version": "1"})
    wait = 'before=$(cat version)\nuntil [ "$(cat "$WINDLASS_SOURCE/version")" = 2 ]; do sleep 0.2; done\n'
    tell = 'printf \'{"before": "%s", "path": "%s"}\' "$before" "$WINDLASS_SOURCE" > "$WINDLASS_OUTPUTS"'
    spec = definition(git.url("followed"), wait + tell, follow=True, period="1s")
    spec["taskDefaults"] |= {"timeout": "60s", "keepPods": "Always"}
    cluster.start("git-follow", spec)
    cluster.until("git-follow", lambda status: phases(status).get("a") == "Running")
    git.commit("followed", {"version": "2"})
    status = cluster.ended("git-follow")
    assert task(status, "a")["outputs"] == {"before": "1", "path": "/workspace/src/current"}
    assert status["source"]["commit"] == first
    chosen = "windlass.dev/run=git-follow,windlass.dev/task=a"
    kubectl(
        *("wait", "pod", "-l", chosen, "-n", cluster.namespace, "--for=jsonpath={.status.phase}=Succeeded"),
        "--timeout=60s",
    )
    (pod,) = objects("pods", cluster.namespace, "-l", chosen)
    sidecars = [one["name"] for one in pod["spec"]["initContainers"] if one.get("restartPolicy") == "Always"]
    states = {one["name"]: one["state"] for one in pod["status"]["initContainerStatuses"]}
    assert [list(states[name]) for name in sidecars] == [["terminated"]]


@pytest.mark.parametrize("case", FAILURES)
def test_a_source_that_fails_is_told_in_git_s_words(cluster: Cluster, git: GitServer, case: str) -> None:
    status = cluster.ended(run_of(case))
    words = FAILURES[case][1].format(namespace=cluster.namespace)
    assert (status["phase"], status["reason"]) == ("Failed", "SourceFailed")
    assert words in status["message"], json.dumps(status, indent=1)
    assert words in status["source"]["step"]["attempts"][0]["message"]
    assert phases(status) == {"a": "Cancelled"}
    assert PASSWORD not in json.dumps(status)


@pytest.mark.parametrize("case", READS)
def test_what_a_task_reads(cluster: Cluster, git: GitServer, case: str) -> None:
    status = cluster.ended(run_of(case))
    assert status["phase"] == "Succeeded", json.dumps(status, indent=1)
    assert task(status, "a")["outputs"] == {"said": READS[case][2]}
