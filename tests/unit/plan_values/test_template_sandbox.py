"""What an attacker, or chance, may write into a template: nothing gets out, nothing grows, nothing crashes."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.plan.template_values import MAX_WORK
from windlass.plan.templates import Known, TemplateError, check, moments, names_read, render, render_text

CONTEXT = {
    **moments(datetime(2025, 4, 1, tzinfo=UTC)),
    "params": {"s": "text", "n": 3, "l": [1, 2], "o": {"__class__": "own", "items": 1}, "big": "x" * 5000},
    "tasks": {"a": {"outputs": {"rows": 1}}},
}

ESCAPES = [
    "''.__class__.__mro__[1].__subclasses__()",
    "''['__class__']",
    "''['_' + '_class_' + '_']",
    "params['__class__']",
    "params.s['__' ~ 'class__']",
    "params['__cla' + 'ss__']['__init__']",
    "params.__init__.__globals__",
    "params.items()",
    "params.o.items.__self__",
    "params.s.format",
    "'{0.__class__}'.format(params)",
    "'{0.__class__}'.format_map(params)",
    "params.s.format_map",
    "'%s' % params",
    "'%1000000000d' % 1",
    "params.s.join",
    "params.l.append(1)",
    "params.update({'x': 1})",
    "self",
    "self._TemplateReference__context",
    "loop",
    "super()",
    "caller()",
    "varargs",
    "kwargs",
    "namespace(x=1)",
    "cycler('a')",
    "joiner(',')",
    "lipsum()",
    "lipsum.__globals__['os'].popen('id')",
    "dict(a=1)",
    "range.__class__",
    "range",
    "ds_add",
    "ds_add.__globals__",
    "cycler.__init__.__globals__.os",
    "get_flashed_messages()",
    "request.application",
    "config",
    "open('/etc/passwd')",
    "__import__('os')",
    "_",
    "_('x')",
    "gettext('x')",
    "params | attr('__class__')",
    "params | map('attr', '__class__')",
    "[params] | map(attribute='__class__.__mro__') | list",
    "[params.s] | map(attribute='__class__')",
    "[params.s] | sort(attribute='__class__')",
    "params | xmlattr",
    "params | pprint",
    "params.s | format",
    "params | safe",
    "params | groupby('x')",
    "params | map('upper')",
    "params | select('nosuchtest')",
    "logical_date.__class__",
    "logical_date.strftime('%Y')",
    "logical_date.tzinfo",
    "logical_date.__reduce__()",
    "logical_date | date_format('%1000000000d')",
    "logical_date | date_format('%Y', '../../etc/passwd')",
    "logical_date | date_format('%Y', '/etc/passwd')",
    "logical_date | date_format('%Y', 'America')",
    "ds_add(*params.l)",
    "ds_add(**params)",
    "(1).__class__",
    "1 .real",
    "true.__class__",
    "none.__class__",
    "[].__class__",
    "{}.__class__",
    "x if true",
    "(lambda: 1)()",
    "[x for x in params]",
    "params.s := 1",
    "import os",
    "`id`",
    "a; b",
    "params.s is sameas none",
    "params.s | tojson | fromjson | attr('x')",
]


@pytest.mark.parametrize("expression", ESCAPES)
def test_nothing_gets_out(expression: str) -> None:
    with pytest.raises(TemplateError):
        render("{{ " + expression + " }}", CONTEXT)


def test_data_named_like_internals_is_data_of_filters_only() -> None:
    assert render("{{ params.o.items }}", CONTEXT) == 1
    assert render("{{ [params.o] | map(attribute='__class__') }}", CONTEXT) == ["own"]
    assert render("{{ [params.s] | selectattr('__class__') }}", CONTEXT) == []


BOMBS = [
    "'a' * 10**9",
    "10 ** 10 ** 10",
    "10 ** 100000000",
    "2 ** 2 ** 2 ** 2 ** 2 ** 2",
    "(2 ** 1000) * (2 ** 1000)",
    "[0] * 10**9",
    "[[0] * 1000] * 1000",
    "range(10**12)",
    "range(0, -10**12, -1)",
    "range(20000)",
    "params.big | replace('x', params.big)",
    "params.big | replace('', params.big)",
    "[params.big, params.big] | join(params.big * 250)",
    "params.big * 100 ~ params.big * 100 ~ params.big * 100",
    "(params.big ~ params.big) * 1000",
    "[params.big] * 1000 | length",
    "1 | round(10**9)",
    "1 | round(-10**9)",
    "'9' * 5000 | int",
    "('9' * 5000) | int",
    "('[' * 3000) | fromjson",
    "('a,' * 20000) | split(',')",
    "'1e999' | float",
    "'1e999' | float | int",
    "1e308 * 10",
    "-8 ** 0.5",
    "9" * 4000,
    "9" * 5000,
    "(" * 500 + "1" + ")" * 500,
    "[" * 90 + "]" * 90,
    "not " * 900 + "1",
    "-" * 3000 + "1",
    "1" + "+1" * 1900,
    "'a'" + "~'a'" * 1000 + " ~ params.big * 10000",
    "1 if 1 else " * 300 + "1",
    "params" + ".a" * 1900,
    "params" + "[0]" * 1000,
    "1 | abs" + "|abs" * 900,
    "ds | ds_add(10**9)",
    "ds | ds_add(1.5e300)",
    "logical_date | date_add(days=10**12)",
    "'x' | join('y') | join('z')",
    "params.n % 0",
    "params.n / 0",
    "0.0 ** -1",
    "'x' * 5000",
]


@pytest.mark.parametrize("expression", BOMBS, ids=range(len(BOMBS)))
def test_nothing_grows(expression: str) -> None:
    began = time.perf_counter()
    try:
        size = len(str(render("{{ " + expression + " }}", CONTEXT)))
    except TemplateError:
        size = 0
    assert size <= MAX_WORK
    assert time.perf_counter() - began < 3.0


def test_what_all_strings_of_a_rendering_make_is_bounded() -> None:
    with pytest.raises(TemplateError, match="makes too much"):
        render(["{{ params.big * 20 }}"] * 1000, CONTEXT)


def test_shared_values_are_measured_as_often_as_they_are_written() -> None:
    with pytest.raises(TemplateError, match="makes too much"):
        render("{{ " + str(["x"] * 300).replace("'x'", "params.big") + " | tojson }}", CONTEXT)


def test_deep_values_of_a_manifest_are_refused() -> None:
    value: Any = "{{ ds }}"
    for _ in range(5000):
        value = [value]
    with pytest.raises(TemplateError, match="nested too deep"):
        render(value, CONTEXT)


SIGNS = """{{ }} {% -}} {{- . ' " \\ ( ) [ ] { } | , : ~ + - * ** // % == < $ é"""
NAMES = """params s n l o in not is and or if else 1 0 9999999999 1.5 true none default join quote int map select range
    ds_add logical_date date_add attribute= __class__ tojson replace first sum"""
WORDS = st.sampled_from([*SIGNS.split(), *NAMES.split(), " ", "\n", "\r\n", "\x00", "\ud800"])


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=30).map("".join))
def test_any_text_gives_a_value_or_a_template_error(text: str) -> None:
    for one in (text, "{{ " + text + " }}"):
        for function in (render, render_text):
            try:
                assert len(str(function(one, CONTEXT))) <= MAX_WORK + len(one)
            except TemplateError as error:
                assert str(error)
        assert isinstance(check(one, Known({"params": None})), list)
        try:
            assert isinstance(names_read(one), frozenset)
        except TemplateError:
            continue


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_values_pass_untouched(value: Any) -> None:
    assert render("{{ v }}", {"v": value}) == value


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_text_passes_untouched_into_text(value: str) -> None:
    assert render("<{{ v }}>", {"v": value}) == f"<{value}>"
    assert render("<{{ v }}>", {"v": value}, double_dollar=True) == f"<{value}>".replace("$", "$$")


@settings(max_examples=200, deadline=None)
@given(st.text().filter(lambda text: "{{" not in text))
def test_text_without_templates_passes_untouched(text: str) -> None:
    assert render(text, {}) == text
