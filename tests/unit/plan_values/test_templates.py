"""Templates: what they give, what they say when they fail, and that nothing gets out of them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from windlass.plan import templates
from windlass.plan.templates import Known, TemplateError, check, moments, names_read, render, render_text, truth

MOMENT = datetime(2025, 4, 1, 17, 30, tzinfo=UTC)
CONTEXT = {
    **moments(MOMENT),
    "params": {"day": "2025-04-01", "limit": 50, "ratio": 0.5, "flag": True, "nothing": None, "names": ["b", "a", "b"]},
    "run": {"name": "sales-1", "namespace": "data", "uid": "u", "trigger": "Manual"},
    "tasks": {
        "extract": {"phase": "Succeeded", "outputs": {"rows": 812, "files": [{"n": "a", "s": 2}, {"n": "b", "s": 3}]}},
        "load-a": {"phase": "Skipped", "outputs": {}},
    },
    "evil": "$(rm) 'x' \"y\" {{ params.day }} {% raw %}\n$HOME",
}

VALUES = {
    "no template": ("plain $(VAR) text", "plain $(VAR) text"),
    "a string keeps its type": ("{{ params.day }}", "2025-04-01"),
    "a number keeps its type": ("{{ params.limit }}", 50),
    "a boolean keeps its type": ("{{ params.flag }}", True),
    "null keeps its type": ("{{ params.nothing }}", None),
    "a list keeps its type": ("{{ params.names }}", ["b", "a", "b"]),
    "an object keeps its type": ("{{ tasks.extract.outputs.files[0] }}", {"n": "a", "s": 2}),
    "a moment becomes RFC 3339": ("{{ logical_date }}", "2025-04-01T17:30:00Z"),
    "text around it makes text": ("n={{ params.limit }}", "n=50"),
    "in text, what is no string is JSON": (
        "{{ params.flag }} {{ params.nothing }} {{ params.names }}",
        'true null ["b","a","b"]',
    ),
    "a space around makes text": (" {{ params.limit }}", " 50"),
    "two expressions": ("{{ ds }}/{{ ds_nodash }}", "2025-04-01/20250401"),
    "ts": ("{{ ts }} {{ ts_nodash }}", "2025-04-01T17:30:00+00:00 20250401T173000"),
    "the escape": ("{{ '{{' }} x }}", "{{ x }}"),
    "a closing pair outside is text": ("a }} b", "a }} b"),
    "an object within": ("{{ {'a': {'b': params.limit}} }}", {"a": {"b": 50}}),
    "closing braces in a string": ("{{ '}}' }}", "}}"),
    "bash arrays": ("${#a[@]} ${a%%x} {%s}", "${#a[@]} ${a%%x} {%s}"),
    "block and comment delimiters": ("{% if x %} {# no #} {%- raw %}", "{% if x %} {# no #} {%- raw %}"),
    "line ends stay": ("a\r\nb\r{{ ds }}\r\n\n", "a\r\nb\r2025-04-01\r\n\n"),
    "a trailing newline makes text": ("{{ params.limit }}\n", "50\n"),
    "trimming as in Jinja": ("a \n {{- ds -}} \n b", "a2025-04-01b"),
    "keys are not rendered": ({"{{ ds }}": ["{{ ds }}"]}, {"{{ ds }}": ["2025-04-01"]}),
    "other values pass": ({"a": [1, None, True]}, {"a": [1, None, True]}),
    "arithmetic": ("{{ (params.limit + 2) * 3 // 2 - 1 }}", 77),
    "division": ("{{ params.limit / 4 }}", 12.5),
    "comparison": ("{{ tasks.extract.outputs.rows > 0 and not false }}", True),
    "a chain of comparisons": ("{{ 1 < 2 < 2 }}", False),
    "in": ("{{ 'a' in params.names and 'z' not in params.names }}", True),
    "condition": ("{{ 'big' if tasks.extract.outputs.rows > 100 else 'small' }}", "big"),
    "concatenation": ("{{ run.name ~ '-' ~ params.limit }}", "sales-1-50"),
    "a dash in brackets": ("{{ tasks['load-a'].phase }}", "Skipped"),
    "negative places": ("{{ params.names[-2] }}", "a"),
    "slices": ("{{ params.names[1:] }}", ["a", "b"]),
    "default for a missing output": ("{{ tasks['load-a'].outputs.rows | default(0) }}", 0),
    "default keeps what is there": ("{{ params.limit | default(1) }}", 50),
    "is defined": ("{{ tasks.extract.outputs.x is defined }}", False),
    "int": ("{{ ' 42 ' | int + 1 }}", 43),
    "int of a float": ("{{ '3.9' | int }}", 3),
    "int with default": ("{{ 'x' | int(7) }}", 7),
    "float": ("{{ '1.5' | float }}", 1.5),
    "string": ("{{ params.limit | string }}", "50"),
    "bool": ("{{ 'False' | bool }}", False),
    "join": ("{{ params.names | join(', ') }}", "b, a, b"),
    "join by attribute": ("{{ tasks.extract.outputs.files | join('+', attribute='n') }}", "a+b"),
    "length": ("{{ params.names | length }}", 3),
    "split": ("{{ 'a,b' | split(',') }}", ["a", "b"]),
    "tojson": ("{{ params.names | tojson }}", '["b","a","b"]'),
    "fromjson": ("{{ '{\"a\": [1]}' | fromjson }}", {"a": [1]}),
    "replace": ("{{ ds | replace('-', '') }}", "20250401"),
    "trim lower upper": ("{{ ' Ab ' | trim | lower }}{{ 'x' | upper }}", "abX"),
    "round": ("{{ 2.567 | round(2) }}", 2.57),
    "round to a whole number": ("{{ 2.5 | round }}", 2),
    "abs min max sum": ("{{ [-1 | abs, [3, 2] | min, [3, 2] | max, [3, 2] | sum] }}", [1, 2, 3, 5]),
    "sort unique first last": (
        "{{ [params.names | sort, params.names | unique, params.names | first, params.names | last] }}",
        [["a", "b", "b"], ["b", "a"], "b", "b"],
    ),
    "sort by attribute": (
        "{{ tasks.extract.outputs.files | sort(reverse=true, attribute='s') | map(attribute='n') }}",
        ["b", "a"],
    ),
    "map by attribute": ("{{ tasks.extract.outputs.files | map(attribute='s') | sum }}", 5),
    "select by test": ("{{ [1, 2, 3, 4] | select('gt', 2) }}", [3, 4]),
    "reject by test": ("{{ [1, 2, 3, 4] | reject('even') }}", [1, 3]),
    "selectattr": ("{{ tasks.extract.outputs.files | selectattr('s', 'eq', 3) | map(attribute='n') }}", ["b"]),
    "quote": ("echo {{ evil | quote }}", "echo '$(rm) '\"'\"'x'\"'\"' \"y\" {{ params.day }} {% raw %}\n$HOME'"),
    "range": ("{{ range(2, 5) }}", [2, 3, 4]),
    "ds_add": ("{{ ds_add(ds, 30) }} {{ ds | ds_add(-1) }}", "2025-05-01 2025-03-31"),
    "date_add": ("{{ logical_date | date_add(days=-1, hours=2) }}", "2025-03-31T19:30:00Z"),
    "date_format": ("{{ logical_date | date_format('%d.%m.%Y %H:%M') }}", "01.04.2025 17:30"),
    "date_format in a zone": ("{{ date_format(logical_date, '%F %H', 'Asia/Seoul') }}", "2025-04-02 02"),
    "date_format of a date": ("{{ params.day | date_format('%j') }}", "091"),
    "the parts of a moment": ("{{ logical_date.year }}-{{ logical_date.hour }}", "2025-17"),
    "moments compare": ("{{ logical_date > logical_date | date_add(days=-1) }}", True),
    "seconds between moments": ("{{ logical_date - (logical_date | date_add(minutes=-1)) }}", 60.0),
    "timestamp": ("{{ timestamp(logical_date) }}", 1743528600),
}


@pytest.mark.parametrize(("template", "value"), VALUES.values(), ids=VALUES.keys())
def test_render(template: object, value: object) -> None:
    got = render(template, CONTEXT)
    assert (got, type(got)) == (value, type(value))


def test_what_a_template_gave_is_not_rendered_again() -> None:
    text = str(CONTEXT["evil"])
    assert render(["{{ evil }}", "<{{ evil }}>"], CONTEXT) == [text, f"<{text}>"]


def test_dollars_of_values_are_doubled_and_those_of_the_author_are_not() -> None:
    context = {"price": "$5", "list": ["$a", 1]}
    value = ["$(HOME) {{ price }} $$", "{{ price }}", "{{ list }}", "{{ '$' }}"]
    assert render(value, context, double_dollar=True) == ["$(HOME) $$5 $$", "$$5", ["$$a", 1], "$$"]


def test_render_text_keeps_strings() -> None:
    value = {"a": "{{ params.limit }}", "b": "{{ params.flag }}", "c": "{{ params.names }}", "d": "{{ ds }}", "e": 1}
    assert render_text(value, CONTEXT) == {"a": "50", "b": "true", "c": '["b","a","b"]', "d": "2025-04-01", "e": 1}


def test_moments_are_those_of_the_zone() -> None:
    assert moments(MOMENT, ZoneInfo("Asia/Seoul")) == {
        "logical_date": MOMENT,
        "ds": "2025-04-02",
        "ds_nodash": "20250402",
        "ts": "2025-04-02T02:30:00+09:00",
        "ts_nodash": "20250402T023000",
    }


ERRORS = {
    "an unknown name": ("{{ parms.day }}", '{{ parms.day }}: there is no "parms"; did you mean "params"?'),
    "an unknown parameter": ("{{ params.dya }}", '{{ params.dya }}: params has no "dya"; did you mean "day"?'),
    "a missing output": (
        "{{ tasks.extract.outputs.sum }}",
        '{{ tasks.extract.outputs.sum }}: tasks.extract.outputs has no "sum"; there are: files, rows',
    ),
    "an output of none": (
        "{{ tasks['load-a'].outputs.rows }}",
        "{{ tasks['load-a'].outputs.rows }}: tasks.load-a.outputs has no \"rows\"; there are none",
    ),
    "a name with a dash": (
        "{{ tasks.load-a.outputs }}",
        "{{ tasks.load-a.outputs }}: tasks has no \"load\"; write tasks['load-a']: "
        "a name with a dash stands in brackets",
    ),
    "a place that is not there": (
        "{{ params.names[9] }}",
        "{{ params.names[9] }}: params.names has 3 items: there is no [9]",
    ),
    "a field of a string": ("{{ ds.year }}", '{{ ds.year }}: ds is a string: it has no "year"'),
    "an unknown filter": ("{{ ds | uper }}", '{{ ds | uper }}: there is no filter uper; did you mean "upper"?'),
    "an unknown test": ("{{ ds is defind }}", '{{ ds is defind }}: there is no test defind; did you mean "defined"?'),
    "a filter called": (
        "{{ upper(ds) }}",
        "{{ upper(ds) }}: there is no function upper; use the filter: value | upper",
    ),
    "a method": (
        "{{ ds.upper() }}",
        "{{ ds.upper() }}: methods can't be called: use a filter, as in {{ value | upper }}",
    ),
    "wrong arguments": ("{{ ds | replace('a') }}", "{{ ds | replace('a') }}: filter replace takes (old, new)"),
    "no end": (
        "a {{ ds",
        "{{ ds: the expression has no end: close it with }}, or write {{ '{{' }} for two braces",
    ),
    "empty": ("{{ }}", "{{ }}: the expression is empty; write {{ '{{' }} for two braces"),
    "go templates": (
        "docker ps --format {{.Names}}",
        "{{.Names}}: unexpected '.'; write {{ '{{' }} for two braces as text",
    ),
    "types that do not add": ("{{ 1 + 'a' }}", "{{ 1 + 'a' }}: can't calculate: number + string"),
    "types that do not compare": ("{{ 1 < 'a' }}", "{{ 1 < 'a' }}: can't compare a number with a string"),
    "division by zero": ("{{ 1 // 0 }}", "{{ 1 // 0 }}: can't calculate: integer division or modulo by zero"),
    "no number": ("{{ 'x' | int }}", "{{ 'x' | int }}: the value is no whole number"),
    "no JSON": (
        "{{ 'x' | fromjson }}",
        "{{ 'x' | fromjson }}: the text is no JSON: Expecting value: line 1 column 1 (char 0)",
    ),
    "no date": (
        "{{ 'x' | date_add(days=1) }}",
        "{{ 'x' | date_add(days=1) }}: the text is no date: write 2025-04-01 or 2025-04-01T17:00:00Z",
    ),
    "no else": ("{{ 1 if false }}", "{{ 1 if false }}: the condition is false, and there is no else"),
    "the first of none": ("{{ [] | first }}", "{{ [] | first }}: the list is empty: it has no first item"),
}


@pytest.mark.parametrize(("template", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_errors(template: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render({"env": [{"value": template}]}, CONTEXT)
    assert str(caught.value) == f"env[0].value: {message}"


TRUTHS = {
    "true": (True, True), "zero": (0, False), "a word": (" True\n", True), "no": ("no", False), "empty": ("", False),
    "null": (None, False), "a list": ([0], True),
}  # fmt: skip


@pytest.mark.parametrize(("value", "meaning"), TRUTHS.values(), ids=TRUTHS.keys())
def test_truth(value: object, meaning: bool) -> None:
    assert truth(value) is meaning


def test_a_text_is_no_condition() -> None:
    with pytest.raises(TemplateError, match="neither true nor false"):
        truth("812 > 0")


def test_names_read() -> None:
    text = "{{ tasks['load-a'].outputs.x[0] + ds_add(params.day, 1) }} {{ a[b.c] | default(d) }}"
    assert names_read(text) == {
        ("tasks", "load-a", "outputs", "x", 0), ("params", "day"), ("a",), ("b", "c"), ("d",),
    }  # fmt: skip


KNOWN = Known(
    {"params": {"day": None}, "tasks": {"a": {"outputs": None}, "b-c": {"outputs": None}}},
    lambda path: "b doesn't depend on a: add it to dependsOn" if path == ("tasks", "a") else None,
)
CHECKS = {
    "all known": ("{{ params.day }} {{ tasks['b-c'].outputs.any.thing }}", []),
    "a dynamic name is left to the rendering": ("{{ tasks[params.day] }}", []),
    "an unknown one": ("{{ params.dy }}", ['{{ params.dy }}: params has no "dy"; did you mean "day"?']),
    "not upstream": (
        "{{ tasks.a.outputs.x }}",
        ["{{ tasks.a.outputs.x }}: b doesn't depend on a: add it to dependsOn"],
    ),
    "a dash": (
        "{{ tasks.b-c.outputs.x }}",
        ["{{ tasks.b-c.outputs.x }}: tasks has no \"b\"; write tasks['b-c']: a name with a dash stands in brackets"],
    ),
    "every expression is told": (
        "{{ x }}{{ params.y }}",
        ['{{ x }}: there is no "x"; there are: params, tasks', '{{ params.y }}: params has no "y"; there are: day'],
    ),
    "syntax": ("{{ 1 + }}", ["{{ 1 + }}: unexpected 'end of template'; write {{ '{{' }} for two braces as text"]),
}


@pytest.mark.parametrize(("text", "problems"), CHECKS.values(), ids=CHECKS.keys())
def test_check(text: str, problems: list[str]) -> None:
    assert check(text, KNOWN) == problems


def test_has_templates() -> None:
    assert [templates.has_templates(text) for text in ("a", "{ {", "{{ x }}")] == [False, False, True]
