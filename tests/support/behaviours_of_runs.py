"""What must be the same wherever pods run, of whole runs: what tasks tell each other, and how it all ends."""

from __future__ import annotations

from support.behaviour import Behaviour, Spec, Status, one, succeeded
from support.clusters import phases, task

PLAIN = """it's "so" $HOME ${x} $(date) `id` {{ \\ end"""


def _outputs(status: Status) -> None:
    succeeded(status)
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


def _late(status: Status) -> None:
    succeeded(status)
    conditions = {one["type"]: one["status"] for one in status["conditions"]}
    assert conditions == {"Accepted": "True", "Running": "False", "Succeeded": "True", "DeadlineMissed": "True"}


def _branches(status: Status) -> None:
    succeeded(status)
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
    succeeded(status)
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


def _repeated(status: Status) -> None:
    succeeded(status)
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


def _produced(status: Status) -> None:
    succeeded(status)
    ended = task(status, "load")["finishedAt"]
    expected = [{"name": "sales/daily", "task": "load", "finishedAt": ended, "fields": {"rows": 3}}]
    assert status["assets"] == expected


PRODUCED: Spec = {
    "tasks": [
        {"name": "load", "produces": ["sales/daily"], "script": """echo '{"rows": 3}' > "$WINDLASS_OUTPUTS" """},
        {"name": "other", "when": "false", "produces": ["sales/other"], "script": "true"},
    ]
}


RUNS: dict[str, Behaviour] = {
    "outputs-and-values": Behaviour(OUTPUTS, _outputs, run={"params": {"text": PLAIN}}),
    "branches": Behaviour(BRANCHES, _branches),
    "finally": Behaviour(FINALLY, _finally),
    "workspace": Behaviour(WORKSPACE, _workspace),
    "repeated": Behaviour(REPEATED, _repeated, run={"params": {"list": ["a$b", {"x": 1}, None]}}),
    "repeated-until-one-fails": Behaviour(FAILED_FAST, _failed_fast),
    "an-asset": Behaviour(PRODUCED, _produced),
    "a-deadline": Behaviour({**one("sleep 4"), "deadline": {"after": "2s", "from": "Started"}}, _late),
}
