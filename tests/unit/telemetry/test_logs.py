"""What the log says, one line an event, and what it never says."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from windlass.loglines import of_run
from windlass.telemetry.logs import BLOT, LogFormat, levels, redact, set_up


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----"
REDACTED = {
    "a header": ("Authorization: Bearer abcdef123456", f"Authorization: Bearer {BLOT}"),
    "basic auth": ("sent Basic bWU6cGFzc3dvcmQ=", f"sent Basic {BLOT}"),
    "a JWT": (f"with {JWT} in it", f"with {BLOT} in it"),
    "a URL": ("mysql+pymysql://me:pw@db/shop", f"mysql+pymysql://{BLOT}@db/shop"),
    "a URL with a token alone": ("https://ghp_abc@github.com/a", f"https://{BLOT}@github.com/a"),
    "a password": ("password=hunter22 user=me", f"password={BLOT} user=me"),
    "JSON": ('{"token": "abcdef", "a": 1}', f'{{"token": "{BLOT}", "a": 1}}'),
    "a dict": ("{'db_password': 'abcdef'}", f"{{'db_password': '{BLOT}'}}"),
    "an environment": ("AWS_SECRET=abcdef X=1", f"AWS_SECRET={BLOT} X=1"),
    "a private key": (f"got {KEY}!", f"got {BLOT}!"),
    "a private key, cut off": (f"got {KEY[:50]}", f"got {BLOT}"),
}
KEPT = {
    "words": "the token is no longer good",
    "an image": "registry.example.com/a/b@sha256:0123456789abcdef",
    "a URL without a user": "https://10.0.0.1:443/api/v1/pods?watch=true",
    "a run": "run=data/sales-1 uid=0d3f",
    "a Secret by name": "the Secret git-credentials is missing",
    "basic words": "basic things first",
}


@pytest.mark.parametrize(("said", "shown"), REDACTED.values(), ids=REDACTED.keys())
def test_credentials_are_blotted_out(said: str, shown: str) -> None:
    assert redact(said) == shown
    assert redact(shown) == shown


@pytest.mark.parametrize("said", KEPT.values(), ids=KEPT.keys())
def test_the_rest_is_kept(said: str) -> None:
    assert redact(said) == said


LEVELS = {
    "nothing": ("", {"": "INFO"}),
    "one for all": ("warning", {"": "WARNING"}),
    "in capitals": ("DEBUG", {"": "DEBUG"}),
    "of modules": (
        "warning, windlass.engine=debug,windlass.runs=error",
        {"": "WARNING", "windlass.engine": "DEBUG", "windlass.runs": "ERROR"},
    ),
    "of a module alone": ("windlass.kube=debug", {"": "INFO", "windlass.kube": "DEBUG"}),
}
NO_LEVELS = {
    "a misspelt level": ("inf", "'inf' is no level"),
    "a misspelt level of a module": ("windlass.engine=verbose", "'verbose' is no level"),
    "a module without a level": ("windlass.engine=", "'windlass.engine=' is no level"),
    "a level without a module": ("=debug", "names no module"),
}


@pytest.mark.parametrize(("said", "meant"), LEVELS.values(), ids=LEVELS.keys())
def test_levels(said: str, meant: dict[str, str]) -> None:
    assert levels(said) == meant


@pytest.mark.parametrize(("said", "wrong"), NO_LEVELS.values(), ids=NO_LEVELS.keys())
def test_what_is_no_level(said: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        levels(said)


def test_each_module_has_its_level() -> None:
    stream = io.StringIO()
    set_up("warning,windlass.noisy=debug", LogFormat.TEXT, stream)
    try:
        for name in ("windlass.noisy", "windlass.noisy.part", "windlass.calm", "kopf.reactor"):
            logging.getLogger(name).debug("a detail")
            logging.getLogger(name).warning("a warning")
    finally:
        logging.getLogger("windlass.noisy").setLevel(logging.NOTSET)
    said = [line.split()[1:3] for line in stream.getvalue().splitlines()]
    assert said == [
        ["DEBUG", "windlass.noisy:"],
        ["WARNING", "windlass.noisy:"],
        ["DEBUG", "windlass.noisy.part:"],
        ["WARNING", "windlass.noisy.part:"],
        ["WARNING", "windlass.calm:"],
        ["WARNING", "kopf.reactor:"],
    ]


def logged(form: LogFormat) -> str:
    stream = io.StringIO()
    set_up("info", form, stream)
    logger = logging.getLogger("windlass.test")
    logger.debug("not shown")
    of_run(logger, "data", "sales-1", "uid-1", task="load", attempt=2).warning("two\nlines of %s", "password=hunter22")
    try:
        raise ValueError("Bearer abcdef123456")
    except ValueError:
        logger.exception("it failed")
    return stream.getvalue()


def test_text() -> None:
    first, second, *trace = logged(LogFormat.TEXT).splitlines()
    time, _, rest = first.partition(" ")
    assert (len(time), time[-1]) == (24, "Z")
    expected = (
        r"WARNING windlass.test: two\nlines of password=[redacted] run=data/sales-1 uid=uid-1 task=load attempt=2"
    )
    assert rest == expected
    assert second.endswith("ERROR   windlass.test: it failed")
    assert all(line.startswith("    ") for line in trace)
    assert trace[-1] == f"    ValueError: Bearer {BLOT}"


def test_json() -> None:
    first, second = map(json.loads, logged(LogFormat.JSON).splitlines())
    first.pop("time")
    assert first == {
        "level": "warning",
        "logger": "windlass.test",
        "message": "two\nlines of password=[redacted]",
        "run": "data/sales-1",
        "uid": "uid-1",
        "task": "load",
        "attempt": "2",
    }
    assert (second["message"], second["trace"].splitlines()[-1]) == ("it failed", f"ValueError: Bearer {BLOT}")
