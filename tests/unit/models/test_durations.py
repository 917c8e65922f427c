"""Durations and instants: what is written is what is meant, and everything that may be written can be reckoned with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from windlass.models.common import (
    DURATION_PATTERN,
    INSTANT_PATTERN,
    Duration,
    Instant,
    delta,
    format_time,
    parse_time,
    seconds,
)

CASES = {"0": 0, "0s": 0, "500ms": 0.5, "90s": 90, "1h30m": 5400, "2d": 172800, "1.5h": 5400, "1d1h1m1s1ms": 90061.001}
NOT = ["", "5", "5 m", "-1s", "1w", "1H", "m", "1s ", "1s\n", "1e3s", "1,5s", "½s", "٣s", "P1D", "9999999s"]

duration = TypeAdapter(Duration)
instant = TypeAdapter(Instant)


@pytest.mark.parametrize(("text", "length"), CASES.items())
def test_durations(text: str, length: float) -> None:
    assert seconds(duration.validate_python(text)) == length


@pytest.mark.parametrize("text", NOT)
def test_no_durations(text: str) -> None:
    with pytest.raises(ValidationError):
        duration.validate_python(text)
    with pytest.raises(ValueError, match="is no duration: write 500ms"):
        seconds(text)


@given(st.from_regex(DURATION_PATTERN, fullmatch=True).filter(lambda text: len(text) <= 32))
def test_every_duration_can_be_added_to_a_time(text: str) -> None:
    length = delta(duration.validate_python(text))
    assert length >= timedelta(0)
    assert datetime(2100, 1, 1, tzinfo=UTC) + length < datetime(9000, 1, 1, tzinfo=UTC)


@given(st.text(max_size=12))
def test_model_and_reader_agree_on_any_text(text: str) -> None:
    try:
        duration.validate_python(text)
    except ValidationError:
        with pytest.raises(ValueError, match="is no duration"):
            seconds(text)
    else:
        assert seconds(text) >= 0


@given(st.datetimes(min_value=datetime(1001, 1, 1), timezones=st.just(UTC)))
def test_instants_come_back(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment


@given(st.from_regex(INSTANT_PATTERN, fullmatch=True))
def test_every_accepted_instant_can_be_read(text: str) -> None:
    try:
        instant.validate_python(text)
    except ValidationError:
        with pytest.raises(ValueError, match="day is out of range"):
            parse_time(text)
    else:
        assert parse_time(text).tzinfo is UTC
