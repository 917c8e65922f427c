"""The instances of a forEach in the commands that look at runs."""

from __future__ import annotations

from typing import Any

import pytest

from support.cli import FakeCluster, invoke, run
from windlass import names

Body = dict[str, Any]
DETAIL = (
    '{"ended":{"Succeeded/Completed/1":"0-1"},"launched":"4","seen":"4","others":{'
    '"2":{"phase":"Failed","reason":"Error","message":"exit code 3: no such file","dropped":1,"attempts":[{"number":2,'
    '"class":"App","reason":"Error","exitCode":3,"message":"reading c.csv\\nno such file","hint":"look at the path",'
    '"finishedAt":"2025-04-01T12:01:06Z"}]},'
    '"3":{"phase":"Retrying","reason":"BackingOff","message":"Evicted: retry 1 of 5","attempts":[{"number":1,'
    '"class":"Infra","reason":"Evicted","finishedAt":"2025-04-01T12:01:06Z"}]}}}'
)


def load(**fields: Any) -> Body:
    counts = {"total": 7, "starting": 1, "retrying": 1, "succeeded": 2, "failed": 1, "failedIndices": "2"}
    return {
        "name": "load",
        "phase": "Running",
        "message": "3/7 done, 1 failed: index 2",
        "instances": counts | {"digest": "d", "detail": DETAIL} | fields,
    }


RUN = run("sales-1", "Running", [{"name": "list", "phase": "Succeeded"}, load()], workflow="sales", progress="1/2")
RUN["metadata"]["uid"] = "run-uid"


def pod_name(index: int, attempt: int) -> str:
    return names.pod_name("sales-1", RUN["metadata"]["uid"], "load", attempt, index)


def pod(name: str) -> Body:
    status = {"phase": "Succeeded", "containerStatuses": [{"name": "main", "state": {"terminated": {}}}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "status": status}


TREE = """\
Workflow:  sales
Progress:  1/2
sales-1  ● Running
├── ✔ list  Succeeded
└── ● load  Running  3/7 done, 1 failed: index 2
    ├── [2] attempt 2: App Error, exit code 3
    │   ├── reading c.csv
    │   ├── no such file
    │   └── → look at the path
    └── [3] attempt 1: Infra Evicted
"""


def test_status_shows_how_far_they_are_and_what_went_wrong() -> None:
    result = invoke(FakeCluster().add(RUN), "status", "sales-1")
    assert (result.exit_code, result.stdout) == (0, TREE)


def test_status_of_instances_that_can_t_be_read_shows_the_rest() -> None:
    newer = run("sales-1", "Running", [load(detail="§")])
    result = invoke(FakeCluster().add(newer), "status", "sales-1")
    assert result.stdout.endswith("└── ● load  Running  3/7 done, 1 failed: index 2\n")


LOG = {(pod_name(index, attempt), "main"): f"{index}/{attempt}\n".encode() for index in range(7) for attempt in (1, 2)}
LOGS: dict[str, tuple[list[str], int, str, str]] = {
    "of an instance: its latest attempt": (["load", "--index", "2"], 0, "2/2\n", ""),
    "of an attempt of an instance": (["load", "--index", "2", "--attempt", "1"], 0, "2/1\n", ""),
    "of one under way": (["load", "--index", "4"], 0, "4/1\n", ""),
    "of all where they are few": (
        ["load"],
        0,
        "[load[0]] 0/1\n[load[1]] 1/1\n[load[2]] 2/2\n[load[3]] 3/1\n[load[4]] 4/1\n",
        "",
    ),
    "of one that has not begun": (
        ["load", "--index", "5"],
        1,
        "",
        "windlass: no such attempt of load has started yet: 3/7 done, 1 failed: index 2\n",
    ),
    "of one that there is not": (
        ["load", "--index", "7"],
        1,
        "",
        "windlass: load has no instance 7: they are 0 to 6\n",
    ),
    "of a task without instances": (
        ["list", "--index", "7"],
        1,
        "",
        "windlass: list has no instances: leave --index out\n",
    ),
    "of an index without a task": (
        ["--index", "7"],
        2,
        "",
        "windlass logs: --index needs a TASK (see windlass logs --help)\n",
    ),
}


@pytest.mark.parametrize("case", LOGS.values(), ids=LOGS.keys())
def test_logs(case: tuple[list[str], int, str, str]) -> None:
    args, code, out, err = case
    pods = [pod(name) for name, _ in LOG]
    result = invoke(FakeCluster(log=LOG).add(RUN, *pods), "logs", "sales-1", *args)
    assert (result.exit_code, result.stdout, result.stderr) == (code, out, err)


def test_of_many_instances_one_has_to_be_named() -> None:
    many = run("sales-1", "Running", [load(total=5000)])
    result = invoke(FakeCluster().add(many), "logs", "sales-1", "load")
    assert (result.exit_code, result.stderr) == (
        1,
        "windlass: load has 5000 instances: say which by --index; failed are 2\n",
    )
