"""What check_spec finds, as `windlass lint` and a refused run tell it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from windlass.models.findings import Severity
from windlass.models.workflow import WorkflowSpec
from windlass.plan.checks import check_spec


def spec(tasks: list[dict[str, Any]], **fields: Any) -> WorkflowSpec:
    return WorkflowSpec.model_validate({"tasks": [{"image": "x", **task} for task in tasks], **fields})


def task(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, **fields}


A = task("a")
STRING = {"type": "string"}
THERE_ARE = (
    "there are: data_interval_end, data_interval_start, ds, ds_nodash, logical_date, params, prev_success, run, "
    "scheduled_at, task, tasks, triggers, …"
)

GOOD = {
    "items that the author has written out, in a script": spec(
        [{"name": "a", "script": "cat {{ item }}", "forEach": {"items": ["x", "y"]}}]
    ),
    "an index in a script": spec(
        [{"name": "a", "script": "x {{ index }}", "forEach": {"items": "{{ params.p }}"}}], params={"p": {}}
    ),
    "a single task": spec([A]),
    "outputs of what is upstream": spec(
        [
            A,
            task("b", dependsOn=["a"]),
            task("c", dependsOn=["b"], command=["{{ tasks.a.outputs.x }} {{ tasks.b.phase }}"]),
        ]
    ),
    "all names": spec(
        [
            task(
                "a",
                args=[
                    "{{ run.name }}{{ run.namespace }}{{ run.uid }}{{ run.trigger }}{{ workflow.name }}{{ task.name }}"
                    "{{ task.attempt }}{{ ds }}{{ ts_nodash }}{{ data_interval_start }}{{ params.p }}"
                ],
            )
        ],
        params={"p": {"type": "integer"}},
    ),
    "finally reads all tasks and the outcome": spec(
        [A, task("b")], **{"finally": [task("z", command=["{{ tasks.b.outputs.x }}{{ run.outcome }}"])]}
    ),
    "a sensitive parameter as a whole": spec(
        [task("a", env=[{"name": "T", "value": "{{ params.t }}"}])],
        params={"t": {"sensitive": True}},
        taskDefaults={"env": [{"name": "U", "value": "{{ params['t'] }}"}]},
    ),
    "a join does not take defaults": spec([task("j", image=None)], taskDefaults={"image": "{{ tasks.j.outputs.x }}"}),
    "a quoted parameter": spec(
        [{"name": "a", "image": "x", "script": "x {{ params.p | quote }}"}], params={"p": STRING}
    ),
    "a number in a script": spec([{"name": "a", "script": "x {{ params.p }}"}], params={"p": {"type": "integer"}}),
    "a choice of two in a script": spec(
        [task("a", script="x {{ 'y' if params.p == 'z' else 'n' }}")], params={"p": STRING}
    ),
    "JSON in python": spec(
        [task("a", script="x = {{ params.p | tojson }}", interpreter="python")], params={"p": STRING}
    ),
    "when": spec([task("a", when="{{ params.p == 'x' }}\n")], params={"p": STRING}),
    "defaults with templates": spec(
        [A], params={"d": {"type": "string", "format": "date", "default": "{{ ds_add(ds, -1) }}"}}
    ),
}


@pytest.mark.parametrize("good", GOOD.values(), ids=GOOD.keys())
def test_good(good: WorkflowSpec) -> None:
    assert check_spec(good) == []


SENSITIVE = "the parameter t is sensitive: it can only be the whole value of an env entry"
BAD: dict[str, tuple[WorkflowSpec, list[str]]] = {
    "an unknown dependency": (
        spec([task("extract"), task("b", dependsOn=["extrat"])]),
        ['spec.tasks[1].dependsOn[0]: there is no task extrat; did you mean "extract"?'],
    ),
    "a cycle": (
        spec([task("a", dependsOn=["c"]), task("b", dependsOn=["a"]), task("c", dependsOn=["b"])]),
        ["spec.tasks: these tasks wait for each other: a → c → b → a; take one of the dependencies out"],
    ),
    "two cycles": (
        spec(
            [
                task("a", dependsOn=["b"]),
                task("b", dependsOn=["a"]),
                task("c", dependsOn=["d"]),
                task("d", dependsOn=["c"]),
            ]
        ),
        [
            "spec.tasks: these tasks wait for each other: a → b → a; take one of the dependencies out",
            "spec.tasks: these tasks wait for each other: c → d → c; take one of the dependencies out",
        ],
    ),
    "a name twice": (
        spec([A, A]),
        ["spec.tasks[1].name: two tasks are named a; names are unique over tasks and finally"],
    ),
    "tasks that wait for finally": (
        spec([task("a", dependsOn=["z"])], **{"finally": [task("z", image="x")]}),
        ["spec.tasks[0].dependsOn[0]: z runs in finally, after all tasks; no task can depend on it"],
    ),
    "a template that is not upstream": (
        spec([A, task("b", command=["{{ tasks.a.outputs.x }}"])]),
        ["spec.tasks[1].command[0]: {{ tasks.a.outputs.x }}: b doesn't depend on a: add it to dependsOn"],
    ),
    "a template of itself": (
        spec([task("a", command=["{{ tasks.a.outputs.x }}"])]),
        ["spec.tasks[0].command[0]: {{ tasks.a.outputs.x }}: a can't read its own outputs"],
    ),
    "a template of finally": (
        spec([task("a", command=["{{ tasks.z.outputs.x }}"])], **{"finally": [task("z", image="x")]}),
        ["spec.tasks[0].command[0]: {{ tasks.z.outputs.x }}: z runs in finally, after a"],
    ),
    "an unknown task": (
        spec([task("extract"), task("b", dependsOn=["extract"], args=["{{ tasks.extrct.outputs.x }}"])]),
        ['spec.tasks[1].args[0]: {{ tasks.extrct.outputs.x }}: tasks has no "extrct"; did you mean "extract"?'],
    ),
    "a task's field": (
        spec([A, task("b", dependsOn=["a"], args=["{{ tasks.a.output.x }}"])]),
        ['spec.tasks[1].args[0]: {{ tasks.a.output.x }}: tasks.a has no "output"; did you mean "outputs"?'],
    ),
    "a dash": (
        spec([task("load-a"), task("b", dependsOn=["load-a"], args=["{{ tasks.load-a.outputs.x }}"])]),
        [
            "spec.tasks[1].args[0]: {{ tasks.load-a.outputs.x }}: tasks has no \"load\"; write tasks['load-a']: "
            "a name with a dash stands in brackets"
        ],
    ),
    "an unknown parameter": (
        spec([task("a", args=["{{ params.dya }}"])], params={"day": STRING}),
        ['spec.tasks[0].args[0]: {{ params.dya }}: params has no "dya"; did you mean "day"?'],
    ),
    "an unknown name": (
        spec([task("a", args=["{{ thing }}"])]),
        [f'spec.tasks[0].args[0]: {{{{ thing }}}}: there is no "thing"; {THERE_ARE}'],
    ),
    "an item where there is no forEach": (
        spec([task("a", args=["{{ item }}"])]),
        ["spec.tasks[0].args[0]: {{ item }}: item is known to tasks with forEach only"],
    ),
    "a forEach that reads its own item": (
        spec([task("a", forEach={"items": "{{ item.parts }}"})]),
        ["spec.tasks[0].forEach.items: {{ item.parts }}: forEach says what the items are, so it can't read item"],
    ),
    "the outputs of a forEach read as an object": (
        spec([task("a", forEach={"count": 2}), task("b", dependsOn=["a"], args=["{{ tasks.a.outputs.rows }}"])]),
        [
            "spec.tasks[1].args[0]: {{ tasks.a.outputs.rows }}: the outputs of a are a list, one of each instance: "
            "write tasks.a.outputs[0].rows for the first, or tasks.a.outputs | map(attribute='rows') for all"
        ],
    ),
    "a forEach that reads a task it does not depend on": (
        spec([task("a"), task("b", forEach={"matrix": {"x": "{{ tasks.a.outputs.x }}"}})]),
        ["spec.tasks[1].forEach.matrix.x: {{ tasks.a.outputs.x }}: b doesn't depend on a: add it to dependsOn"],
    ),
    "a forEach of an approval": (
        spec([task("a", image=None, forEach={"count": 2}, approval={"message": "go on?"})]),
        [
            "spec.tasks[0].forEach: only what runs in pods can be repeated; give the task an image, command, args or "
            "script"
        ],
    ),
    "a forEach with nothing to run": (
        spec([task("a", image=None, forEach={"count": 2})]),
        ["spec.tasks[0].forEach: there is nothing to repeat; give the task an image, command, args or script"],
    ),
    "a bad template deep in a field": (
        spec([task("a", podTemplate={"spec": {"containers": [{"name": "s", "args": ["{{ x"]}]}})]),
        [
            "spec.tasks[0].podTemplate.spec.containers[0].args[0]: {{ x: the expression has no end: close it with "
            "}}, or write "
            "{{ '{{' }} for two braces"
        ],
    ),
    "a bad template in the defaults": (
        spec(
            [task("a", image=None, script="x"), task("b", image=None, script="x")], taskDefaults={"image": "{{ dss }}"}
        ),
        ['spec.taskDefaults.image: {{ dss }}: there is no "dss"; did you mean "ds"?'],
    ),
    "the outcome outside of finally": (
        spec([task("a", args=["{{ run.outcome }}"])]),
        ["spec.tasks[0].args[0]: {{ run.outcome }}: run.outcome is known to tasks of finally only"],
    ),
    "templates where none are rendered": (
        spec([A], source={"git": {"repo": "https://x/{{ params.r }}.git"}}),
        ["spec.source.git.repo: templates are not rendered here; write the value out"],
    ),
    "a sensitive parameter in a command": (
        spec([task("a", command=["x", "{{ params.t }}"])], params={"t": {"sensitive": True}}),
        [f"spec.tasks[0].command[1]: {{{{ params.t }}}}: {SENSITIVE}"],
    ),
    "a sensitive parameter in a part of an env entry": (
        spec([task("a", env=[{"name": "T", "value": "x{{ params.t }}"}])], params={"t": {"sensitive": True}}),
        [f"spec.tasks[0].env[0].value: {{{{ params.t }}}}: {SENSITIVE}"],
    ),
    "a sensitive parameter through a filter": (
        spec([task("a", env=[{"name": "T", "value": "{{ params.t | upper }}"}])], params={"t": {"sensitive": True}}),
        [f"spec.tasks[0].env[0].value: {{{{ params.t | upper }}}}: {SENSITIVE}"],
    ),
    "when is text": (
        spec([task("a", when="{{ params.n }} > 0")], params={"n": {"type": "integer"}}),
        [
            "spec.tasks[0].when: this is no single expression, so it is neither true nor false; write "
            '"{{ tasks.a.outputs.rows > 0 }}", the comparison inside of the braces'
        ],
    ),
    "when without a template": (
        spec([task("a", when="params.n")]),
        [
            "spec.tasks[0].when: this is no single expression, so it is neither true nor false; write "
            '"{{ tasks.a.outputs.rows > 0 }}", the comparison inside of the braces'
        ],
    ),
    "a script of too many bytes": (
        spec([{"name": "a", "script": "é" * 60_000}]),
        [
            "spec.tasks[0].script: the script has 120000 bytes, and may have 102400; put it into the repository of "
            "`source`, or "
            "into the image"
        ],
    ),
    "an exit code that is never and always": (
        spec([task("a", retry={"exitCodes": {"never": [2, 3], "always": [3]}})]),
        ["spec.tasks[0].retry.exitCodes: exit code 3 is in never and in always; take it out of one of them"],
    ),
    "a number in env": (
        spec([task("a", env=[{"name": "N", "value": 1}])]),
        ['spec.tasks[0].env[0].value: the value of N is no string; write "1" in quotes'],
    ),
    "env without a name": (
        spec([task("a", env=[{"value": "x"}])]),
        ["spec.tasks[0].env[0]: an env entry needs a name"],
    ),
    "a misspelt env field": (
        spec([task("a", env=[{"name": "N", "vaule": "x"}])]),
        ['spec.tasks[0].env[0].vaule: an env entry has no vaule; did you mean "value"?'],
    ),
    "a reserved variable": (
        spec([A], taskDefaults={"env": [{"name": "WINDLASS_RUN", "value": "x"}]}),
        ["spec.taskDefaults.env[0].name: names that begin with WINDLASS_ are Windlass's own; choose another name"],
    ),
    "a schema that is none": (
        spec([A], params={"n": {"type": "integr"}}),
        ["spec.params.n.type: this is no JSON Schema: 'integr' is not valid under any of the given schemas"],
    ),
    "a default that is not as its schema": (
        spec([A], params={"n": {"type": "integer", "minimum": 1, "default": 0}}),
        ["spec.params.n.default: 0 is less than the minimum of 1"],
    ),
    "a default that reads parameters": (
        spec([A], params={"n": {"default": "{{ params.m }}"}, "m": {"default": 1}}),
        ["spec.params.n.default: {{ params.m }}: the default of a parameter can't read other parameters"],
    ),
    "the value of a sensitive parameter": (
        spec([A], params={"t": {"sensitive": True, "default": "hunter2"}}),
        [
            "spec.params.t.default: t is sensitive: its value stands in a Secret, never in a run; write {secretKeyRef: "
            "{name: …, key: …}}"
        ],
    ),
    "a schema that refers elsewhere": (
        spec([A], params={"n": {"items": {"$ref": "https://example.com/schema"}}}),
        ['spec.params.n.items["$ref"]: $ref is not supported in the schema of a parameter; write it out'],
    ),
    "a pattern that can't be": (
        spec([A], params={"n": {"pattern": "(?=x)"}}),
        [
            "spec.params.n.pattern: the pattern can't be used: error: look-around, including look-ahead and "
            "look-behind, is "
            "not supported"
        ],
    ),
    "a parameter that templates can't read": (
        spec([A], params={"_n": {"type": "integer"}}),
        ["spec.params._n: names that begin with _ can't be read by templates"],
    ),
}


@pytest.mark.parametrize(("bad", "told"), BAD.values(), ids=BAD.keys())
def test_errors(bad: WorkflowSpec, told: list[str]) -> None:
    found = check_spec(bad)
    assert ([str(one) for one in found], {one.severity for one in found}) == (told, {Severity.ERROR})


QUOTE = (
    "the value of params.p becomes a part of the program, which it may change; pass it by env: "
    '[{name: P, value: "{{ params.p }}"}], or write {{ params.p | quote }}'
)
WARNINGS: dict[str, tuple[WorkflowSpec, str]] = {
    "a string in a script": (
        spec([{"name": "a", "script": "echo {{ params.p }}"}], params={"p": STRING}),
        f"spec.tasks[0].script: {QUOTE}",
    ),
    "a string in a script, through a filter": (
        spec([{"name": "a", "script": "echo {{ params.p | upper }}"}], params={"p": STRING}),
        f"spec.tasks[0].script: {QUOTE}",
    ),
    "an item in a script": (
        spec(
            [{"name": "a", "script": "cat {{ item.file }}", "forEach": {"items": "{{ params.p }}"}}], params={"p": {}}
        ),
        "spec.tasks[0].script: the value of item.file becomes a part of the program, which it may change; pass it by "
        'env: [{name: FILE, value: "{{ item.file }}"}], or write {{ item.file | quote }}',
    ),
    "a string in what a shell is given": (
        spec([task("a", command=["bash", "-ec", "echo {{ params.p }}"])], params={"p": STRING}),
        f"spec.tasks[0].command[2]: {QUOTE}",
    ),
    "quotes of a shell do not quote python": (
        spec([{"name": "a", "script": "x = {{ params.p }}", "interpreter": "python"}], params={"p": STRING}),
        f"spec.tasks[0].script: {QUOTE.partition(', or')[0]}",
    ),
    "a variable twice": (
        spec([task("a", env=[{"name": "N", "value": "1"}, {"name": "N", "value": "2"}])]),
        "spec.tasks[0].env[1].name: N is there twice: the last one counts",
    ),
    "a rule without upstream": (
        spec([task("a", triggerRule="OneFailed")]),
        "spec.tasks[0].triggerRule: OneFailed has no effect: a task that depends on nothing starts at once; add "
        "dependsOn",
    ),
    "a wait that is never reached": (
        spec([task("a", retry={"delay": "1h", "maxDelay": "5m"})]),
        "spec.tasks[0].retry.maxDelay: maxDelay 5m is shorter than delay 1h; no wait will be longer than maxDelay",
    ),
    "slots that depend on runs which are replaced": (
        spec([task("a")], dependsOnPast=True, concurrency={"maxActiveRuns": 1, "policy": "Replace"}),
        "spec.dependsOnPast: a run that is replaced has not succeeded, so the slot after it waits until somebody "
        "retries it; choose the policy Queue, or leave it out",
    ),
    "a task that runs nothing": (
        spec([{"name": "a", "image": None, "env": [{"name": "X", "value": "1"}]}]),
        "spec.tasks[0]: this task runs nothing: it has neither image, command, args nor script; give it one of them",
    ),
}


@pytest.mark.parametrize(("doubtful", "told"), WARNINGS.values(), ids=WARNINGS.keys())
def test_warnings(doubtful: WorkflowSpec, told: str) -> None:
    assert [(str(one), one.severity) for one in check_spec(doubtful)] == [(told, Severity.WARNING)]


def test_all_findings_are_told_at_once() -> None:
    bad = spec([task("a", dependsOn=["x"], args=["{{ y }}"], env=[{"value": "1"}])], params={"n": {"type": "integr"}})
    assert [one.where for one in check_spec(bad)] == [
        "spec.tasks[0].dependsOn[0]", "spec.params.n.type", "spec.tasks[0].env[0]", "spec.tasks[0].args[0]",
    ]  # fmt: skip


def test_where_the_definition_stands() -> None:
    found = check_spec(spec([task("a", dependsOn=["x"])]), ("spec", "workflowSpec"))
    assert [one.where for one in found] == ["spec.workflowSpec.tasks[0].dependsOn[0]"]


HUGE = {
    "a chain of 1,000": spec(
        [
            task(f"t{n}", **({"dependsOn": [f"t{n - 1}"], "args": [f"{{{{ tasks.t{n - 1}.phase }}}}"]} if n else {}))
            for n in range(1000)
        ]
    ),
    "a cycle of 1,000": spec([task(f"t{n}", dependsOn=[f"t{(n + 1) % 1000}"]) for n in range(1000)]),
    "100 tasks that each depend on 99": spec(
        [task(f"t{n}", dependsOn=[f"t{m}" for m in range(100) if m != n]) for n in range(100)]
    ),
    "100,000 templates": spec([task(f"t{n}", args=["{{a}}" * 100] * 10) for n in range(100)]),
    "10,000 wrong templates": spec(
        [task(f"t{n}", args=[f"{{{{ nope{n}_{m} }}}}" for m in range(10)]) for n in range(1000)]
    ),
    "a deep field": spec([task("a", affinity={"x": [[]] * 1000})]),
    "a regular expression without end": spec([A], params={"p": {"pattern": "^(a+)+$", "default": "a" * 5000 + "!"}}),
}


@pytest.mark.parametrize("huge", HUGE.values(), ids=HUGE.keys())
def test_the_answer_to_something_huge_comes_soon(huge: WorkflowSpec) -> None:
    began = time.perf_counter()
    found = check_spec(huge)
    assert time.perf_counter() - began < 5.0
    assert len(found) < 1200
