"""Outputs: what a termination message gives, and why one is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.plan.outputs import OutputsError, read_outputs

GOOD = {
    "nothing": ("", None),
    "blank": (" \n", None),
    "an object": ('{"rows": 812, "files": ["a"]}\n', {"rows": 812, "files": ["a"]}),
    "an empty object": ("{}", {}),
    "template syntax is a value": ('{"x": "{{ params.y }} $(HOME)"}', {"x": "{{ params.y }} $(HOME)"}),
    "numbers": ('{"x": [1.5, -3, 9223372036854775807]}', {"x": [1.5, -3, 9223372036854775807]}),
}


@pytest.mark.parametrize(("message", "value"), GOOD.values(), ids=GOOD.keys())
def test_read(message: str, value: object) -> None:
    assert read_outputs(message, False, 4096) == value


BAD = {
    "no JSON": (
        "rows=3",
        'the outputs are no JSON: Expecting value: line 1 column 1 (char 0); they begin with "rows=3"',
    ),
    "a list": ("[1]", 'the outputs are no JSON object, but begin with "[1]"'),
    "a string": ('"x"', 'the outputs are no JSON object, but begin with "\\"x\\""'),
    "two objects": (
        '{}{"a": 1}',
        'the outputs are no JSON: Extra data: line 1 column 3 (char 2); they begin with "{}{\\"a\\": 1}"',
    ),
    "NaN": ('{"x": NaN}', 'the outputs are no JSON: NaN is no JSON; they begin with "{\\"x\\": NaN}"'),
    "infinity": ('{"x": 1e999}', "the outputs hold the number inf, too large to keep: write it as a string"),
    "a number beyond 64 bits": (
        '{"x": 9223372036854775808}',
        "the outputs hold the number 9.22337e+18, too large to keep: write it as a string",
    ),
    "a key twice": (
        '{"x": 1, "x": 2}',
        'the outputs are no JSON: the key "x" is there twice; they begin with "{\\"x\\": 1, \\"x\\": 2}"',
    ),
    "too deep": ('{"x": ' + "[" * 40 + "]" * 40 + "}", "the outputs are nested more than 32 levels deep"),
    "far too deep": ('{"x": ' + "[" * 2000 + "]" * 2000 + "}", "the outputs are nested more than 32 levels deep"),
    "half a character": ('{"x": "\\ud800"}', "the outputs hold half a surrogate pair, which is no text"),
}


@pytest.mark.parametrize(("message", "told"), BAD.values(), ids=BAD.keys())
def test_invalid(message: str, told: str) -> None:
    with pytest.raises(OutputsError) as caught:
        read_outputs(message, False, 4096)
    assert (caught.value.reason, caught.value.message) == ("OutputsInvalid", told)


@pytest.mark.parametrize(("message", "truncated"), {"cut": ("{", True), "longer": ("é" * 600, False)}.values())
def test_too_large_names_the_limit(message: str, truncated: bool) -> None:
    with pytest.raises(OutputsError) as caught:
        read_outputs(message, truncated, 1024)
    assert caught.value.reason == "OutputsTooLarge"
    assert "1024 bytes" in caught.value.message


@given(st.text())
def test_any_text_is_read_or_refused(message: str) -> None:
    try:
        value = read_outputs(message, False, 4096)
    except OutputsError as error:
        assert error.reason in ("OutputsInvalid", "OutputsTooLarge")
    else:
        assert value is None or isinstance(value, dict)
