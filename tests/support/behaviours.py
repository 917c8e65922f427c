"""What must be the same wherever pods run: each row is a definition, what is done to its run, and what it must come to.

The development cluster's tests and those on a real Kubernetes go through the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from support.clusters import Cluster, phases, task

Status = dict[str, Any]
Spec = dict[str, Any]
PLAIN = """it's "so" $HOME ${x} $(date) `id` {{ \\ end"""


@dataclass(frozen=True)
class Behaviour:
    """A row. `check` asserts what the ended run's status must say."""

    spec: Spec
    check: Callable[[Status], None]
    run: Spec | None = None
    """Fields of the run beside its definition."""
    meanwhile: Callable[[Cluster, str], None] | None = None
    """What is done to the run while it goes on."""
    real_only: bool = False
    """The development cluster can't show it."""


def _one(command: str, **more: Any) -> Spec:
    return {"tasks": [{"name": "a", "script": command, **more}]}


def _succeeded(status: Status) -> None:
    assert (status["phase"], status["reason"]) == ("Succeeded", "Completed"), status


def _outputs(status: Status) -> None:
    _succeeded(status)
    assert task(status, "b")["outputs"] == {"total": 7, "said": PLAIN, "words": ["x y", "z"]}


OUTPUTS: Spec = {
    "params": {"text": {"type": "string"}},
    "tasks": [
        {
            "name": "a",
            "interpreter": "python",
            "script": "import json, os\n"
            'json.dump({"n": 3, "words": ["x y", "z"]}, open(os.environ["WINDLASS_OUTPUTS"], "w"))',
        },
        {
            "name": "b",
            "dependsOn": ["a"],
            "interpreter": "python",
            "env": [
                {"name": "N", "value": "{{ tasks.a.outputs.n + 4 }}"},
                {"name": "SAID", "value": "{{ params.text }}"},
                {"name": "WORDS", "value": "{{ tasks.a.outputs.words | tojson }}"},
            ],
            "script": "import json, os\n"
            'found = {"total": int(os.environ["N"]), "said": os.environ["SAID"]}\n'
            'found["words"] = json.loads(os.environ["WORDS"])\n'
            'json.dump(found, open(os.environ["WINDLASS_OUTPUTS"], "w"))',
        },
    ],
}


def _shells(status: Status) -> None:
    _succeeded(status)
    assert task(status, "bash")["outputs"] == {"n": 2, "pid": "$$", "name": "$(NAME)"}


SHELLS: Spec = {
    "tasks": [
        {
            "name": "bash",
            "interpreter": "bash",
            "script": 'a=(x y)\n[ ${#a[@]} = 2 ]\n[ -n "$$" ]\n'
            """printf '{"n": %s, "pid": "$$", "name": "$(NAME)"}' "${#a[@]}" > "$WINDLASS_OUTPUTS\"""",
        },
        {"name": "args", "command": ["sh", "-c", 'test "$0" = "{{ 1 + 1 }}" && test "$1" = x', "{{ 1 + 1 }}", "x"]},
    ]
}


def _told(status: Status) -> None:
    assert status["phase"] == "Failed"
    attempt = task(status, "a")["attempts"][0]
    assert (attempt["class"], attempt["exitCode"]) == ("App", 3)
    assert "the table is missing" in attempt["message"]
    assert attempt["hint"]


def _retried(status: Status) -> None:
    _succeeded(status)
    attempts = task(status, "a")["attempts"]
    assert [attempt["number"] for attempt in attempts] == [1, 2]
    assert (attempts[0]["class"], attempts[0]["exitCode"]) == ("App", 7)


def _never(status: Status) -> None:
    assert status["phase"] == "Failed"
    assert len(task(status, "a")["attempts"]) == 1


def _late(status: Status) -> None:
    _succeeded(status)
    conditions = {one["type"]: one["status"] for one in status["conditions"]}
    assert conditions == {"Accepted": "True", "Running": "False", "Succeeded": "True", "DeadlineMissed": "True"}


def _too_long(status: Status) -> None:
    assert status["phase"] == "Failed"
    assert task(status, "a")["attempts"][0]["class"] == "Timeout"


def _branches(status: Status) -> None:
    _succeeded(status)
    assert phases(status) == {
        "a": "Succeeded",
        "no": "Skipped",
        "after-no": "Skipped",
        "may-fail": "Failed",
        "anyway": "Succeeded",
        "join": "Succeeded",
    }


BRANCHES: Spec = {
    "tasks": [
        {"name": "a", "script": "true"},
        {"name": "no", "dependsOn": ["a"], "when": "{{ 1 > 2 }}", "script": "true"},
        {"name": "after-no", "dependsOn": ["no"], "script": "true"},
        {"name": "may-fail", "dependsOn": ["a"], "allowFailure": True, "script": "exit 1"},
        {"name": "anyway", "dependsOn": ["may-fail"], "triggerRule": "AllDone", "script": "true"},
        {"name": "join", "dependsOn": ["anyway", "after-no"], "triggerRule": "NoneFailed"},
    ]
}


def _finally(status: Status) -> None:
    assert status["phase"] == "Failed"
    assert phases(status) == {"a": "Failed", "b": "UpstreamFailed", "clean": "Succeeded"}
    assert task(status, "clean")["outputs"] == {"outcome": "Failed"}


FINALLY: Spec = {
    "tasks": [{"name": "a", "script": "exit 1"}, {"name": "b", "dependsOn": ["a"], "script": "true"}],
    "finally": [
        {
            "name": "clean",
            "env": [{"name": "OUTCOME", "value": "{{ run.outcome }}"}],
            "script": """printf '{"outcome": "%s"}' "$OUTCOME" > "$WINDLASS_OUTPUTS\"""",
        }
    ],
}


def _workspace(status: Status) -> None:
    _succeeded(status)
    assert task(status, "read")["outputs"] == {"found": "hello"}


WORKSPACE: Spec = {
    "workspace": {"size": "10Mi", "mountPath": "/workspace/data"},
    "tasks": [
        {"name": "write", "script": 'printf hello > "$WINDLASS_WORKSPACE/greeting"'},
        {
            "name": "read",
            "dependsOn": ["write"],
            "script": """printf '{"found": "%s"}' "$(cat /workspace/data/greeting)" > "$WINDLASS_OUTPUTS\"""",
        },
    ],
}


def _environment(status: Status) -> None:
    _succeeded(status)
    outputs = task(status, "a")["outputs"]
    assert (outputs["task"], outputs["attempt"], outputs["trigger"]) == ("a", "1", "Manual")
    assert outputs["date"] == "2025-04-01T17:00:00Z"
    assert outputs["home"] == "/tmp"


ENVIRONMENT = _one(
    """printf '{"task":"%s","attempt":"%s","trigger":"%s","date":"%s","home":"%s"}' """
    '"$WINDLASS_TASK" "$WINDLASS_ATTEMPT" "$WINDLASS_TRIGGER" "$WINDLASS_LOGICAL_DATE" "$HOME" > "$WINDLASS_OUTPUTS"'
)


def _no_secret(status: Status) -> None:
    assert status["phase"] == "Failed"
    attempt = task(status, "a")["attempts"][0]
    assert attempt["class"] == "Start"
    assert "not-there" in attempt["message"]
    assert attempt["hint"]


NO_SECRET = _one(
    "true",
    startTimeout="15s",
    env=[{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "not-there", "key": "token"}}}],
)


def _bad_outputs(reason: str) -> Callable[[Status], None]:
    def check(status: Status) -> None:
        assert status["phase"] == "Failed"
        assert task(status, "a")["attempts"][0]["reason"] == reason

    return check


def _cancel(cluster: Cluster, run: str) -> None:
    cluster.until(run, lambda status: phases(status).get("a") == "Running")
    said = cluster.windlass("cancel", run)
    assert said.code == 0, said.all


def _cancelled(status: Status) -> None:
    assert (status["phase"], status["reason"]) == ("Cancelled", "Cancelled")
    assert phases(status) == {"a": "Cancelled", "b": "Cancelled", "clean": "Succeeded"}


ACTED_ON: Spec = {
    "tasks": [
        {"name": "long", "script": "trap '' TERM; sleep 600", "terminationGracePeriod": "1s"},
        {"name": "ask", "dependsOn": ["long"], "approval": {"message": "?", "form": {"n": {"type": "integer"}}}},
        {
            "name": "last",
            "dependsOn": ["ask"],
            "script": """printf '{"n": {{ tasks.ask.outputs.n }}}' > "$WINDLASS_OUTPUTS"; [ {{ run.attempt }} = 2 ]""",
        },
    ]
}


def _act_on(cluster: Cluster, run: str) -> None:
    cluster.until(run, lambda status: phases(status).get("long") == "Running")
    steps: list[tuple[tuple[str, ...], str]] = [
        (("mark-success", run, "long", "--reason", "it hangs"), "marked as succeeded: 1 task: long"),
        (("approve", run, "--set", "n=5"), "ask was approved by "),
        (("retry", run), "runs again: 1 task: last"),
    ]
    for command, words in steps:
        if command[0] == "approve":
            cluster.until(run, lambda status: phases(status).get("ask") == "Running")
        if command[0] == "retry":
            assert cluster.ended(run)["phase"] == "Failed"
        said = cluster.windlass(*command)
        assert (said.code, words in said.out) == (0, True), said.all


def _acted_on(status: Status) -> None:
    _succeeded(status)
    assert [record["verb"] for record in status["actions"]] == ["MarkSuccess", "Approve", "Retry"]
    assert (status["attempt"], task(status, "long")["reason"]) == (2, "MarkedSuccess")
    assert [attempt["number"] for attempt in task(status, "last")["attempts"]] == [1, 2]
    assert task(status, "last")["outputs"] == {"n": 5}


def _limit(status: Status) -> None:
    assert status["phase"] == "Failed"
    assert task(status, "a")["attempts"][0]["class"] == "OOM"
    assert "32Mi" in task(status, "a")["attempts"][0]["hint"]


def _grown(status: Status) -> None:
    _succeeded(status)
    attempts = task(status, "a")["attempts"]
    assert attempts[0]["class"] == "OOM"
    assert attempts[1]["memory"] == "256Mi"


def _repeated(status: Status) -> None:
    _succeeded(status)
    assert task(status, "each")["instances"]["succeeded"] == 3
    assert task(status, "sum")["outputs"] == {
        "n": 5,
        "all": [{"n": 0, "item": "a$b"}, {"n": 2, "item": {"x": 1}}, {"n": 3}],
    }


REPEATED: Spec = {
    "params": {"list": {"type": "array"}},
    "tasks": [
        {
            "name": "each",
            "interpreter": "python",
            "forEach": {"items": "{{ params.list }}", "maxActive": 2},
            "retry": {"limit": 1, "delay": "0s"},
            "script": "import json, os\n"
            'index, item = int(os.environ["WINDLASS_INDEX"]), json.loads(os.environ["WINDLASS_ITEM"])\n'
            'assert index != 1 or os.environ["WINDLASS_ATTEMPT"] == "2"\n'
            'found = {"n": [0, 2, 3][index], "item": item}\n'
            "found = {key: value for key, value in found.items() if value is not None}\n"
            'json.dump(found, open(os.environ["WINDLASS_OUTPUTS"], "w"))',
        },
        {
            "name": "sum",
            "dependsOn": ["each"],
            "interpreter": "python",
            "env": [
                {"name": "N", "value": "{{ tasks.each.outputs | map(attribute='n') | sum }}"},
                {"name": "ALL", "value": "{{ tasks.each.outputs }}"},
            ],
            "script": "import json, os\n"
            'found = {"n": int(os.environ["N"]), "all": json.loads(os.environ["ALL"])}\n'
            'json.dump(found, open(os.environ["WINDLASS_OUTPUTS"], "w"))',
        },
    ],
}


def _failed_fast(status: Status) -> None:
    assert (status["phase"], task(status, "each")["reason"]) == ("Failed", "InstancesFailed")
    counts = task(status, "each")["instances"]
    assert (counts["total"], counts["failed"], counts["failedIndices"], counts["cancelled"]) == (6, 1, "1", 5)
    assert phases(status)["after"] == "UpstreamFailed"


def _produced(status: Status) -> None:
    _succeeded(status)
    ended = task(status, "load")["finishedAt"]
    expected = [{"name": "sales/daily", "task": "load", "finishedAt": ended, "fields": {"rows": 3}}]
    assert status["assets"] == expected


PRODUCED: Spec = {
    "tasks": [
        {"name": "load", "produces": ["sales/daily"], "script": """echo '{"rows": 3}' > "$WINDLASS_OUTPUTS" """},
        {"name": "other", "when": "false", "produces": ["sales/other"], "script": "true"},
    ]
}


FAILED_FAST: Spec = {
    "tasks": [
        {
            "name": "each",
            "forEach": {"count": 6, "maxActive": 3, "failFast": True},
            "terminationGracePeriod": "1s",
            "script": "[ {{ index }} != 1 ] || exit 3; sleep 600",
        },
        {"name": "after", "dependsOn": ["each"], "script": "true"},
    ]
}


EAT = """\
python3 -c 'data = bytearray(100 << 20)
for at in range(0, len(data), 4096):
    data[at] = 1' || { code=$?; sleep 1; exit $code; }
"""
"""The shell outlives the kill where the kernel kills one process only: runtimes are told of a kill a moment after it,
and some miss that of a container which has ended by then."""
MEMORY = {"requests": {"memory": "32Mi"}, "limits": {"memory": "32Mi"}}

BEHAVIOURS: dict[str, Behaviour] = {
    "outputs-and-values": Behaviour(OUTPUTS, _outputs, run={"params": {"text": PLAIN}}),
    "shells-and-dollars": Behaviour(SHELLS, _shells),
    "a-failure-is-told": Behaviour(_one("echo the table is missing; exit 3"), _told),
    "a-retry": Behaviour(_one('[ "$WINDLASS_ATTEMPT" = 2 ] || exit 7', retry={"limit": 1, "delay": "1s"}), _retried),
    "an-exit-code-that-is-never-retried": Behaviour(
        _one("exit 2", retry={"limit": 3, "delay": "1s", "exitCodes": {"never": [2]}}), _never
    ),
    "a-timeout": Behaviour(_one("sleep 600", timeout="2s", terminationGracePeriod="1s"), _too_long),
    "branches": Behaviour(BRANCHES, _branches),
    "finally": Behaviour(FINALLY, _finally),
    "workspace": Behaviour(WORKSPACE, _workspace),
    "environment": Behaviour(ENVIRONMENT, _environment, run={"logicalDate": "2025-04-01T17:00:00Z"}),
    "a-secret-that-is-missing": Behaviour(NO_SECRET, _no_secret),
    "outputs-no-json": Behaviour(_one('echo rows=3 > "$WINDLASS_OUTPUTS"'), _bad_outputs("OutputsInvalid")),
    "outputs-too-large": Behaviour(
        _one('head -c 9000 /dev/zero | tr "\\0" x > "$WINDLASS_OUTPUTS"'), _bad_outputs("OutputsTooLarge")
    ),
    "a-gigabyte-of-logs": Behaviour(
        _one("head -c 1000000000 /dev/zero | tr '\\0' x | fold -w 1000; echo done; exit 4", timeout="2m"),
        lambda status: _log_kept(status),
    ),
    "repeated": Behaviour(REPEATED, _repeated, run={"params": {"list": ["a$b", {"x": 1}, None]}}),
    "repeated-until-one-fails": Behaviour(FAILED_FAST, _failed_fast),
    "an-asset": Behaviour(PRODUCED, _produced),
    "a-deadline": Behaviour({**_one("sleep 4"), "deadline": {"after": "2s", "from": "Started"}}, _late),
    "acted-on": Behaviour(ACTED_ON, _acted_on, meanwhile=_act_on),
    "cancel": Behaviour(
        {
            "tasks": [
                {"name": "a", "script": "sleep 600", "terminationGracePeriod": "1s"},
                {"name": "b", "dependsOn": ["a"], "script": "true"},
            ],
            "finally": [{"name": "clean", "script": "true"}],
        },
        _cancelled,
        meanwhile=_cancel,
    ),
    "out-of-memory": Behaviour({"tasks": [{"name": "a", "script": EAT, "resources": MEMORY}]}, _limit, real_only=True),
    "out-of-memory-grows": Behaviour(
        {
            "tasks": [
                {
                    "name": "a",
                    "script": EAT,
                    "resources": MEMORY,
                    "retry": {"limit": 1, "delay": "0s", "oom": {"factor": 8, "max": "1Gi"}},
                }
            ]
        },
        _grown,
        real_only=True,
    ),
}


def _log_kept(status: Status) -> None:
    assert status["phase"] == "Failed"
    attempt = task(status, "a")["attempts"][0]
    assert attempt["exitCode"] == 4
    assert "done" in attempt["message"]
    assert len(attempt["message"].encode()) <= 1024


def start(cluster: Cluster, names: Iterable[str]) -> None:
    """Start the runs of rows, all at once."""
    rows = {name: BEHAVIOURS[name] for name in names}
    cluster.start_all({name: {"workflowSpec": row.spec, **(row.run or {})} for name, row in rows.items()})


def finish(cluster: Cluster, name: str) -> None:
    """See the run of a row through to its end."""
    row = BEHAVIOURS[name]
    if row.meanwhile is not None:
        row.meanwhile(cluster, name)
    row.check(cluster.ended(name))
