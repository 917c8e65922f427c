"""The commands that act on runs: what they ask for, what they say of the answer, and what a dry run shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from support.cli import FakeCluster, invoke, run
from windlass.errors import ApiError, Forbidden, Invalid, NotFound
from windlass.resources import ACTIONS, SELF_REVIEWS, Resource

Body = dict[str, Any]


@dataclass
class Answering(FakeCluster):
    """A cluster that knows who asks, and answers each action."""

    said: Body | None = None
    """The status of every action; None: no controller answers."""
    refusal: ApiError | None = None
    """The API server's answer to the create of one."""

    async def create(self, resource: Resource, obj: Body) -> Body:
        if resource is SELF_REVIEWS:
            return {**obj, "status": {"userInfo": {"username": "alice", "groups": ["ops", "system:authenticated"]}}}
        if resource is ACTIONS and self.refusal is not None:
            raise self.refusal
        made = await super().create(resource, obj)
        if resource is ACTIONS and self.said is not None:
            key = (resource.plural, made["metadata"]["namespace"], made["metadata"]["name"])
            self.objects[key] = {**made, "status": self.said}
        return made

    def asked(self) -> list[Body]:
        """The specs of the actions that were made, without who asked."""
        found = [body["spec"] for verb, _, body in self.changes if verb == "create"]
        return [{key: value for key, value in spec.items() if not key.startswith("requested")} for spec in found]


APPLIED = {"phase": "Applied", "message": "done"}
TASKS = [
    {"name": "a", "phase": "Succeeded", "attempts": [{"number": 1, "finishedAt": "2025-04-01T12:00:00Z"}]},
    {"name": "b", "phase": "Failed", "attempts": [{"number": 1, "finishedAt": "2025-04-01T12:00:00Z"}]},
]
SPEC = {"tasks": [{"name": "a", "command": ["true"]}, {"name": "b", "command": ["true"], "dependsOn": ["a"]}]}


def failed() -> Body:
    found = run("r", "Failed", TASKS, reason="TasksFailed")
    return {**found, "metadata": {**found["metadata"], "uid": "u"}, "spec": {"workflowSpec": SPEC}}


def cluster(**fields: Any) -> Answering:
    found = Answering(**{"said": APPLIED, **fields})
    found.add(failed())
    return found


ASKED: dict[str, tuple[list[str], Body]] = {
    "retry": (["retry", "r"], {"verb": "Retry"}),
    "retry of tasks": (["retry", "r", "b", "b"], {"verb": "Retry", "tasks": ["b"]}),
    "retry of an instance": (
        ["retry", "r", "b", "--index", "7", "--index", "3"],
        {"verb": "Retry", "tasks": ["b"], "indices": [3, 7]},
    ),
    "clear": (
        ["clear", "r", "a", "--downstream", "--reason", "new data"],
        {"verb": "Clear", "tasks": ["a"], "downstream": True, "reason": "new data"},
    ),
    "skip": (["skip", "r", "a", "--upstream"], {"verb": "Skip", "tasks": ["a"], "upstream": True}),
    "mark success": (["mark-success", "r", "b"], {"verb": "MarkSuccess", "tasks": ["b"]}),
    "mark failed": (
        ["mark-failed", "r", "a", "--reason", "wrong"],
        {"verb": "MarkFailed", "tasks": ["a"], "reason": "wrong"},
    ),
    "approve": (
        ["approve", "r", "--set", "n=5", "--set", "text=a=b", "--set", "flag=true"],
        {"verb": "Approve", "values": {"n": 5, "text": "a=b", "flag": True}},
    ),
    "reject": (["reject", "r", "ask"], {"verb": "Reject", "tasks": ["ask"]}),
    "suspend": (["suspend", "r"], {"verb": "Suspend"}),
    "resume": (["resume", "@latest"], {"verb": "Resume"}),
    "terminate": (["terminate", "r"], {"verb": "Terminate"}),
}


@pytest.mark.parametrize("case", ASKED.values(), ids=ASKED.keys())
def test_what_is_asked(case: tuple[list[str], Body]) -> None:
    arguments, spec = case
    found = cluster()
    result = invoke(found, *arguments)
    assert (result.exit_code, result.stdout) == (0, "workflowrun.windlass.dev/r: done\n"), result.stderr
    assert found.asked() == [{"run": "r", **spec}]
    (action,) = [body for verb, _, body in found.changes if verb == "create"]
    assert action["spec"]["requestedBy"] == "alice"
    assert action["spec"]["requestedGroups"] == ["ops", "system:authenticated"]


DENIED = Forbidden("runactions.windlass.dev is forbidden: alice may not retry the run r", 403)
ENDS: dict[str, tuple[dict[str, Any], list[str], int, str]] = {
    "refused by the controller": (
        {"said": {"phase": "Refused", "message": "no task of the run has failed"}},
        [],
        1,
        "windlass: refused: no task of the run has failed\n",
    ),
    "refused by the cluster": (
        {"refusal": DENIED},
        [],
        1,
        "windlass: not allowed: runactions.windlass.dev is forbidden: alice may not retry the run r\n",
    ),
    "not valid": ({"refusal": Invalid("reason is required", 422)}, [], 1, "windlass: reason is required\n"),
    "no such kind": (
        {"refusal": NotFound("the server could not find the requested resource", 404)},
        [],
        1,
        "windlass: the cluster doesn't know RunActions: bring its kinds up to date with windlass crds | kubectl apply "
        "-f -\n",
    ),
    "nobody answers": (
        {"said": None},
        ["--timeout", "100ms"],
        124,
        "windlass: asked, but no controller has answered within 0.1 s: kubectl get runactions.windlass.dev "
        "r-retry-x2v9p tells when one has\n",
    ),
}


@pytest.mark.parametrize("case", ENDS.values(), ids=ENDS.keys())
def test_what_is_said_of_the_answer(case: tuple[dict[str, Any], list[str], int, str]) -> None:
    fields, arguments, code, err = case
    result = invoke(cluster(**fields), "retry", "r", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", err)


USAGE: dict[str, tuple[list[str], str]] = {
    "clear without tasks": (["clear", "r"], "Missing argument 'TASK...'"),
    "set without a value": (["approve", "r", "--set", "n"], "--set n: write --set name=value"),
    "a timeout that is none": (["retry", "r", "--timeout", "soon"], "'soon' is no length of time"),
}


@pytest.mark.parametrize("case", USAGE.values(), ids=USAGE.keys())
def test_what_can_t_be_asked(case: tuple[list[str], str]) -> None:
    arguments, words = case
    result = invoke(cluster(), *arguments)
    assert (result.exit_code, words in result.stderr) == (2, True), result.stderr


def test_a_run_that_is_not_there() -> None:
    result = invoke(cluster(), "retry", "rr")
    assert result.exit_code == 1
    assert 'there is no run "rr" in the namespace data; did you mean "r"?' in result.stderr


def test_a_dry_run_shows_what_would_happen_and_asks_for_nothing() -> None:
    found = cluster()
    result = invoke(found, "retry", "r", "--dry-run")
    assert result.stdout.splitlines() == [
        "workflowrun.windlass.dev/r: runs again: 1 task: b (dry run)",
        "  b: Failed → Waiting",
    ]
    assert (result.exit_code, found.changes) == (0, [])


def test_a_dry_run_of_what_would_be_refused() -> None:
    result = invoke(cluster(), "suspend", "r", "--dry-run")
    assert (result.exit_code, result.stderr) == (
        1,
        "windlass: it would be refused: the run has ended already: Failed\n",
    )


def test_a_dry_run_reads_the_definition_that_the_run_was_started_with() -> None:
    found = cluster()
    by_name = failed()
    by_name = {**by_name, "spec": {"workflow": "w"}, "status": {**by_name["status"], "revision": "w-1"}}
    revision = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "w-1"},
        "data": {"spec": SPEC},
    }
    found.add(by_name, revision)
    result = invoke(found, "clear", "r", "a", "--downstream", "--dry-run")
    assert result.stdout.splitlines()[1:] == ["  a: Succeeded → Waiting", "  b: Failed → Waiting"]


@dataclass
class Strict(Answering):
    """A cluster in which runs may not be changed."""

    async def patch(self, resource: Resource, namespace: str | None, name: str, body: Any, **_: Any) -> Body:
        raise Forbidden("you may not patch workflowruns", 403)


CANCELS: dict[str, tuple[type[Answering], Body, list[str], Body]] = {
    "with a reason": (
        Answering,
        run("r", "Running"),
        ["--reason", "wrong day"],
        {"verb": "Cancel", "reason": "wrong day"},
    ),
    "by an action, who may not change runs": (Strict, run("r", "Running"), [], {"verb": "Cancel"}),
    "at once": (Strict, run("r", "Running"), ["--terminate"], {"verb": "Terminate"}),
    "a run whose stop a retry has left behind": (
        Answering,
        {**run("r", "Running", orders={"stopOver": "Cancel"}), "spec": {"stop": "Cancel"}},
        [],
        {"verb": "Cancel"},
    ),
}


@pytest.mark.parametrize("case", CANCELS.values(), ids=CANCELS.keys())
def test_cancel_by_an_action(case: tuple[type[Answering], Body, list[str], Body]) -> None:
    kind, body, arguments, asked = case
    found = kind(said=APPLIED)
    found.add(body)
    result = invoke(found, "cancel", "r", *arguments)
    assert (result.exit_code, result.stdout) == (0, "workflowrun.windlass.dev/r: done\n"), result.stderr
    assert found.asked() == [{"run": "r", **asked}]


def test_a_run_that_an_action_stops_is_being_stopped_already() -> None:
    found = Answering()
    found.add(run("r", "Running", orders={"stop": "Cancel"}))
    result = invoke(found, "cancel", "r")
    assert (result.exit_code, result.stdout) == (0, "workflowrun.windlass.dev/r is being cancelled already\n")
    assert found.changes == []


def test_status_shows_who_has_acted() -> None:
    records = [
        {
            "uid": "1",
            "name": "x",
            "verb": "Retry",
            "by": "alice",
            "at": "2025-04-01T12:00:00Z",
            "message": "done",
        },
        {
            "uid": "2",
            "name": "y",
            "verb": "Skip",
            "by": "eve",
            "at": "2025-04-01T12:01:00Z",
            "unverified": True,
            "reason": "too slow",
            "message": "skipped: 1 task: a",
        },
    ]
    found = FakeCluster().add(run("r", "Succeeded", TASKS, actions=records))
    lines = invoke(found, "status", "r").stdout.splitlines()
    assert lines[lines.index("Actions:") :] == [
        "Actions:",
        "  2025-04-01T12:00:00Z  Retry by alice: done",
        "  2025-04-01T12:01:00Z  Skip by eve (nobody has checked this) “too slow”: skipped: 1 task: a",
    ]
