from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import invoke

HEAD = """\
apiVersion: windlass.dev/v1alpha1
kind: Workflow
metadata: {name: sales}
spec:
"""
GOOD = f"{HEAD}  tasks:\n  - {{name: a, script: 'true'}}\n"
OTHERS = "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nspec: {tasks: 1}\n"
ARGO = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: x}\nspec: {entrypoint: a}\n"
MANY = f"""{OTHERS}---
{HEAD}  params:
    day: {{type: strin}}
  tasks:
  - name: extract
    scrpt: echo hi
  - name: check
    dependOn: [extract]
    script: |
      echo "{{{{ tasks.extract.outputs.rows }}}}"
  - name: a
    dependsOn: [b]
    triggerRule: AllSucces
  - name: b
    dependsOn: [a]
  - name: c
    dependsOn: [nope]
    script: "{{{{ 1 + }}}}"
  - name: d
    script: x
    command: [x]
  - name: d
    timeout: soon
"""

CASES: dict[str, tuple[str, int, list[str]]] = {
    "nothing wrong": (GOOD, 0, []),
    "nothing at all": ("", 0, []),
    "a Workflow that starts itself in the end": (
        f"{HEAD}  tasks:\n  - {{name: a, run: {{workflow: sales}}}}\n",
        0,
        [
            "{file}:6: warning: spec.tasks[0].run.workflow: a run can't start its own Workflow again: sales → sales; "
            "take the task out, or start the other run by a trigger"
        ],
    ),
    "another product's kinds": (f"{OTHERS}---\n{ARGO}", 0, []),
    "everything at once": (
        MANY,
        1,
        [
            "{file}:11: spec.params.day.type: this is no JSON Schema: 'strin' is not valid under any of the given "
            "schemas",
            "{file}:12: spec.tasks: these tasks wait for each other: a → b → a; take one of the dependencies out",
            '{file}:14: spec.tasks[0].scrpt: unknown field "scrpt"; did you mean "script"?',
            '{file}:16: spec.tasks[1].dependOn: unknown field "dependOn"; did you mean "dependsOn"?',
            '{file}:21: spec.tasks[2].triggerRule: "AllSucces" is none of AllSuccess, AllFailed, AllDone, '
            "AllDoneMinOneSuccess, AllSkipped, OneSuccess, OneFailed, OneDone, NoneFailed, NoneFailedMinOneSuccess, "
            'NoneSkipped, Always; did you mean "AllSuccess"?',
            "{file}:25: spec.tasks[4].dependsOn[0]: there is no task nope",
            "{file}:26: spec.tasks[4].script: {{{{ 1 + }}}}: unexpected 'end of template'; write {{{{ '{{{{' }}}} for "
            "two braces as text",
            "{file}:27: spec.tasks[5]: a task is one thing: give it either script, or command and args",
            '{file}:30: spec.tasks[6].name: "d" is the name of tasks[5] too',
            '{file}:31: spec.tasks[6].timeout: "soon" is no duration; write 500ms, 90s, 1h30m or 2d',
        ],
    ),
    "a misspelt dependency counts as one": (
        f"{HEAD}  tasks:\n  - {{name: a, script: x}}\n  - name: b\n    dependson: [a]\n    script: x\n"
        "    when: '{{ tasks.a.outputs.x }}'\n",
        1,
        ['{file}:8: spec.tasks[1].dependson: unknown field "dependson"; did you mean "dependsOn"?'],
    ),
    "a wrong field hides no other finding of its task": (
        f"{HEAD}  tasks:\n  - {{name: a, script: x}}\n"
        "  - name: b\n    timeout: soon\n    script: x\n    when: '{{ tasks.a.outputs.x }}'\n",
        1,
        [
            '{file}:8: spec.tasks[1].timeout: "soon" is no duration; write 500ms, 90s, 1h30m or 2d',
            "{file}:10: spec.tasks[1].when: {{{{ tasks.a.outputs.x }}}}: b doesn't depend on a: add it to dependsOn",
        ],
    ),
    "a task that is not upstream": (
        f"{HEAD}  tasks:\n  - {{name: a, script: x}}\n"
        "  - {name: b, script: x, when: '{{ tasks.a.outputs.x }}'}\n",
        1,
        ["{file}:7: spec.tasks[1].when: {{{{ tasks.a.outputs.x }}}}: b doesn't depend on a: add it to dependsOn"],
    ),
    "a run of its own definition": (
        "apiVersion: windlass.dev/v1alpha1\nkind: WorkflowRun\nmetadata: {name: r}\nspec:\n  workflowSpec:\n"
        "    tasks:\n    - {name: a, dependsOn: [b], script: x}\n",
        1,
        ["{file}:7: spec.workflowSpec.tasks[0].dependsOn[0]: there is no task b"],
    ),
    "a List": (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: windlass.dev/v1alpha1\n  kind: Workflow\n"
        "  metadata: {name: x}\n  spec:\n    tasks:\n    - {name: a, imge: x}\n",
        1,
        ['{file}:9: items[0].spec.tasks[0].imge: unknown field "imge"; did you mean "image"?'],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_lint(case: tuple[str, int, list[str]], tmp_path: Path) -> None:
    text, code, lines = case
    file = tmp_path / "w.yaml"
    file.write_text(text, encoding="utf-8")
    result = invoke(None, "lint", str(file))
    assert result.stdout.splitlines() == [line.format(file=file) for line in lines]
    assert (result.exit_code, result.stderr) == (code, "")


RUN = """\
apiVersion: windlass.dev/v1alpha1
kind: WorkflowRun
metadata: {name: r}
spec:
"""
ITS_OWN = f"""{RUN}  workflowSpec:
    params: {{n: {{type: integer}}, day: {{type: string}}, free: {{default: 1}}}}
    tasks: [{{name: a, script: "true"}}]
"""
PARAMETERS: dict[str, tuple[str, list[str] | None]] = {
    "good": (f"{ITS_OWN}  params: {{n: 1, day: x}}\n", []),
    "of a wrong type": (
        f"{ITS_OWN}  params:\n    n: x\n    day: x\n",
        ["{file}:9: spec.params.n: 'x' is not of type 'integer'"],
    ),
    "one that is missing": (
        f"{ITS_OWN}  params: {{n: 1}}\n",
        ["{file}:8: spec.params: the parameter day has no value; give it one, it has no default"],
    ),
    "of a Workflow beside it": (
        f"{GOOD}---\n{RUN}  workflow: sales\n  params: {{n: 1}}\n",
        ["{file}:13: spec.params.n: the workflow has no parameter n; it takes none"],
    ),
    "of a Workflow elsewhere": (f"{GOOD}---\n{RUN}  workflow: other\n  params: {{n: 1}}\n", []),
    "of a definition that is none": (f"{RUN}  workflow: sales\n  params: {{n: 1}}\n---\n{HEAD}  params: 3\n", None),
}


@pytest.mark.parametrize("case", PARAMETERS.values(), ids=PARAMETERS.keys())
def test_parameters_of_a_run(case: tuple[str, list[str] | None], tmp_path: Path) -> None:
    text, lines = case
    file = tmp_path / "r.yaml"
    file.write_text(text, encoding="utf-8")
    result = invoke(None, "lint", str(file))
    if lines is None:
        assert "spec.params.n" not in result.stdout
    else:
        assert result.stdout.splitlines() == [line.format(file=file) for line in lines]


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "no YAML": (b"a: [1\nb: 2\n", "{file}:2: is no YAML: did not find expected ',' or ']'"),
    "a tab": (b"a:\n\tb: 1\n", "{file}:2: is no YAML: found character that cannot start any token"),
    "a key twice": (b"a: 1\nb:\n  c: 1\n  c: 2\n", '{file}:4: is no YAML: the key "c" is there twice'),
    "an unknown alias": (b"a: *b\n", "{file}:1: is no YAML: found undefined alias"),
    "a Python object": (
        b"a: !!python/object/apply:os.system [true]\n",
        "{file}:1: is no YAML: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/object/apply:os.system'",
    ),
    "no text": (b"a: \xff\xfe", "{file}: is no text in UTF-8: invalid start byte at byte 3"),
}


@pytest.mark.parametrize("case", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_can_not_be_read(case: tuple[bytes, str], tmp_path: Path) -> None:
    content, message = case
    bad, good = tmp_path / "bad.yaml", tmp_path / "good.yaml"
    bad.write_bytes(content)
    good.write_text(GOOD.replace("script", "scrip"), encoding="utf-8")
    result = invoke(None, "lint", str(bad), str(good), str(tmp_path / "none.yaml"))
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [message.format(file=bad), f"{tmp_path}/none.yaml: no such file or directory"]
    assert result.stdout.splitlines() == [
        f'{good}:6: spec.tasks[0].scrip: unknown field "scrip"; did you mean "script"?'
    ]


def test_a_warning_is_none_unless_it_is_made_one(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text(
        f"{HEAD}  params: {{day: {{type: string}}}}\n  tasks:\n  - name: a\n    script: echo {{{{ params.day }}}}\n",
        encoding="utf-8",
    )
    result = invoke(None, "lint", str(file))
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{file}:8: warning: spec.tasks[0].script: ")
    assert invoke(None, "lint", "--strict", str(file)).exit_code == 1


def test_lint_as_json_from_stdin() -> None:
    result = invoke(None, "lint", "-", "-o", "json", stdin=GOOD.replace("script", "scrip"))
    assert json.loads(result.stdout) == [
        {
            "file": "<stdin>",
            "line": 6,
            "path": "spec.tasks[0].scrip",
            "severity": "Error",
            "message": 'unknown field "scrip"',
            "fix": 'did you mean "script"?',
        }
    ]
