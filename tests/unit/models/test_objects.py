"""Good objects are read, bad ones are told everything that is wrong, in the words of the table."""

from __future__ import annotations

import pytest

from support.bad import Bad
from support.bad_objects import BAD
from support.objects import CHANGES, GOOD, Change, Manifest, run, task, thousand_tasks, workflow
from windlass.models.findings import Finding
from windlass.models.parse import InvalidObject, check, read_run, read_spec, read_status, read_workflow
from windlass.models.rules import violations
from windlass.models.run import RunPhase, WorkflowRunStatus


@pytest.mark.parametrize("manifest", GOOD.values(), ids=GOOD.keys())
def test_good_objects_have_no_findings(manifest: Manifest) -> None:
    assert check(manifest) == []


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_objects_are_told_what_and_where(bad: Bad) -> None:
    found = check(bad.manifest)
    assert [item.where for item in found if bad.says in str(item)] == [bad.at], [str(item) for item in found]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_changes(change: Change) -> None:
    found = violations(change.new["kind"], change.new, change.old)
    assert {item.message for item in found} == ({change.refused} if change.refused else set())


def test_the_largest_workflow_is_read() -> None:
    assert len(read_workflow(thousand_tasks()).tasks) == 1000


def test_all_errors_are_found_not_the_first() -> None:
    manifest = workflow(
        timeout="x", tagz=[], tasks=[task("a", triggerRule="AllDon", script="x", command=["y"]), {"dependsOn": "a"}]
    )
    assert {item.where for item in check(manifest)} == {
        "spec.timeout",
        "spec.tagz",
        "spec.tasks[0].triggerRule",
        "spec.tasks[0]",
        "spec.tasks[1].name",
        "spec.tasks[1].dependsOn",
    }


def test_a_finding_has_path_message_and_fix() -> None:
    assert check(workflow(tasks=[task("a", timeOut="1h")])) == [
        Finding(("spec", "tasks", 0, "timeOut"), 'unknown field "timeOut"', 'did you mean "timeout"?')
    ]


def test_a_definition_of_two_megabytes_is_refused() -> None:
    tasks = [task(f"t{n}", script="x" * 100_000) for n in range(21)]
    assert [
        (item.where, "at most 1,024 KiB can be stored" in item.message) for item in check(workflow(tasks=tasks))
    ] == [("spec", True)]
    tasks = tasks[:4]
    assert check(workflow(tasks=tasks)) == []
    assert [item.where for item in check(run(workflowSpec={"tasks": tasks}))] == ["spec"]


def test_other_kinds_are_passed_over() -> None:
    assert check({"apiVersion": "v1", "kind": "Secret", "data": 5}) == []


def test_a_workflow_of_another_group_is_told_so_by_its_reader() -> None:
    with pytest.raises(InvalidObject, match=r"apiVersion: is 'argoproj.io/v1alpha1'; write windlass.dev/v1alpha1"):
        read_workflow({**workflow(), "apiVersion": "argoproj.io/v1alpha1"})


def test_a_definition_by_itself_has_paths_of_the_place_it_stands_in() -> None:
    with pytest.raises(InvalidObject) as caught:
        read_spec({"tasks": [task("a", script="x", args=["y"]), task("a", when=5)]}, ("data", "spec"))
    assert [item.where for item in caught.value.findings] == [
        "data.spec.tasks[1].when",
        "data.spec.tasks[0]",
        "data.spec.tasks[1].name",
    ]


def test_a_run_is_read() -> None:
    assert read_run(run(workflow="w", suspend=True)).suspend is True


def test_a_status_of_a_later_version_is_read() -> None:
    stored = {"phase": "Running", "brandNew": {"x": 1}, "tasks": [{"name": "a", "phase": "Waiting", "more": 1}]}
    assert read_status(stored) == read_status({"phase": "Running", "tasks": [{"name": "a", "phase": "Waiting"}]})
    assert read_status(stored).phase is RunPhase.RUNNING


def test_no_status_is_an_empty_one() -> None:
    assert read_status(None) == read_status({}) == WorkflowRunStatus()


MALFORMED = {
    "a phase that there is not": ({"phase": "Dancing"}, "status.phase"),
    "tasks as a string": ({"tasks": "none"}, "status.tasks"),
    "a task without a name": ({"tasks": [{"phase": "Running"}]}, "status.tasks[0].name"),
    "a status that is a list": ([], "status"),
    "a time that is none": ({"startedAt": "noon"}, "status.startedAt"),
    "a time without a zone": ({"tasks": [{"name": "a", "retryAt": "2025-04-01T00:00:00"}]}, "status.tasks[0].retryAt"),
    "a time beyond the calendar": ({"startedAt": "0001-01-01T00:00:00+23:00"}, "status.startedAt"),
}


@pytest.mark.parametrize(("stored", "where"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_status_is_an_error_that_says_where(stored: dict[str, object], where: str) -> None:
    with pytest.raises(InvalidObject) as caught:
        read_status(stored)
    assert [item.where for item in caught.value.findings] == [where]


@pytest.mark.parametrize(
    "garbage", [None, 5, "x", [], [1], {"tasks": 5}, {"tasks": [5]}, {"finally": {"a": 1}}, {5: 6}]
)
def test_no_shape_breaks_the_reader(garbage: object) -> None:
    manifest = {**workflow(), "spec": garbage}
    assert check(manifest)
    assert check({**manifest, "kind": "WorkflowRun"})
    assert check({"kind": "Workflow", "metadata": garbage})
