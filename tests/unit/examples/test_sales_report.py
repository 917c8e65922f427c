"""examples/sales-report: fill, join and figures by hand-computed values, and the tasks as a whole with their mail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.examples import Ended, Pod, load, run_all
from support.mailsink import REFUSED, MailSink, mail_sink
from support.sales_report import check_mail, secrets

fill = load("sales-report", "fill")
join = load("sales-report", "join")
report = load("sales-report", "report")
chart = load("sales-report", "chart")
seed = load("sales-report", "seed")


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with mail_sink() as running:
        yield running


@pytest.fixture
def urls(tmp_path: Path) -> tuple[str, str]:
    """Two SQLite databases with the example's rows."""
    shopping, factor = f"sqlite:///{tmp_path}/shopping.db", f"sqlite:///{tmp_path}/factor.db"
    seed.seed(shopping, factor)
    return shopping, factor


def amounts(*values: float | None) -> list[dict[str, object]]:
    return [{"date": f"2025-04-{day:02}", "amount": value} for day, value in enumerate(values, start=1)]


MEANS = {
    "all known": (amounts(1, 2, 6), 3.0),
    "missing ones don't count": (amounts(1, None, 2, None, 6), 3.0),
    "zero is known": (amounts(0, None, 3), 1.5),
    "a refund": (amounts(-4, 2, None), -1.0),
    # 3340 / 18, over all known days and not only those that have factors.
    "the example's rows": ([dict(row) for row in seed.SHOPPING_ROWS], 185.55555555555554),
}


@pytest.mark.parametrize(("rows", "mean"), MEANS.values(), ids=MEANS.keys())
def test_the_mean_of_known_amounts(rows: list[dict[str, object]], mean: float) -> None:
    assert fill.mean_of_known(rows) == mean


def test_no_known_amount_has_no_mean() -> None:
    with pytest.raises(ValueError, match="no amount is known"):
        fill.mean_of_known(amounts(None, None))


def test_missing_amounts_are_filled_and_marked() -> None:
    assert fill.fill_missing(amounts(1, None, 0), 2.5) == [
        {"date": "2025-04-01", "amount": 1, "estimated": False},
        {"date": "2025-04-02", "amount": 2.5, "estimated": True},
        {"date": "2025-04-03", "amount": 0, "estimated": False},
    ]


A1, A2, B1, B2, C = ({"k": k, n: v} for k, n, v in [(1, "a", 1), (2, "a", 2), (2, "b", 3), (2, "b", 4), (3, "b", 5)])
JOINS = {
    "the keys of both": ([A1, A2], [B1, C], [{"k": 2, "a": 2, "b": 3}]),
    "each pair, as SQL does": ([A2], [B1, B2], [{"k": 2, "a": 2, "b": 3}, {"k": 2, "a": 2, "b": 4}]),
    "in the order of the left": (
        [A2, A1],
        [{"k": 1, "b": 0}, B1],
        [{"k": 2, "a": 2, "b": 3}, {"k": 1, "a": 1, "b": 0}],
    ),
    "nothing in common": ([A1], [C], []),
}


@pytest.mark.parametrize(("left", "right", "joined"), JOINS.values(), ids=JOINS.keys())
def test_inner_join(left: list[dict[str, int]], right: list[dict[str, int]], joined: list[dict[str, int]]) -> None:
    assert join.inner_join(left, right, "k") == joined


TICKS = {
    "hundreds": ((300.0, 60.0), (0, 100, 200, 300)),
    "one": ((1.0,), (0, 0.2, 0.4, 0.6000000000000001, 0.8, 1)),
    "nothing sold": ((0.0, 0.0), (0, 1)),
    "refunds": ((-30.0, 70.0), (-40, -20, 0, 20, 40, 60, 80)),
    "only refunds": ((-10.0,), (-10, -8, -6, -4, -2, 0)),
}


@pytest.mark.parametrize(("values", "ticks"), TICKS.values(), ids=TICKS.keys())
def test_the_scale_of_the_chart(values: tuple[float, ...], ticks: tuple[float, ...]) -> None:
    assert chart.scale_for(values).ticks == ticks


def test_the_page_quotes_what_it_is_given() -> None:
    rows = [{"date": "2025-04-01", "amount": 1.0, "estimated": False} | dict.fromkeys(report.FACTORS, 1)]
    page = report.page(rows, title="<b>Sales</b> & more", run="r<1>")
    assert "<b>" not in page
    assert "<1>" not in page
    assert page.count("&lt;b&gt;Sales&lt;/b&gt; &amp; more") == 2


def outputs(done: dict[str, Ended]) -> dict[str, object]:
    return {name: ended.outputs if ended.code == 0 else ended.stderr for name, ended in done.items()}


EXPECTED_OUTPUTS = {
    "read-shopping": {"rows": 20},
    "read-factors": {"rows": 14},
    "fill-missing": {"mean": 185.55555555555554, "known": 18, "estimated": 2},
    "join": {"rows": 14, "first": "2025-04-01", "last": "2025-04-14"},
    # The known amounts of these days make 2265; the fifth is the mean.
    "report": {
        "days": 14,
        "total": 2450.56,
        "mean": 175.04,
        "best": 300.0,
        "bestDay": "2025-04-01",
        "estimated": 1,
        "file": "report.html",
    },
}


def test_the_tasks_of_the_manifest_on_sqlite(tmp_path: Path, urls: tuple[str, str], sink: MailSink) -> None:
    done = run_all(Pod("sales-report", tmp_path), params={"title": "Sales of April"}, secrets=secrets(*urls, sink.url))
    assert outputs({name: ended for name, ended in done.items() if name != "mail"}) == EXPECTED_OUTPUTS
    assert done["mail"].code == 0, done["mail"].stderr
    (kept,) = sink.mails
    check_mail(kept, title="Sales of April", run="run-1")


def test_a_database_that_can_only_be_read_is_enough(tmp_path: Path, urls: tuple[str, str]) -> None:
    (tmp_path / "shopping.db").chmod(0o444)
    before = sorted(path.name for path in tmp_path.iterdir())
    pod = Pod("sales-report", tmp_path)
    ended = pod.task("read.py", "shopping_data", env={"DATABASE_URL": urls[0]})
    assert (ended.code, ended.outputs) == (0, {"rows": 20})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, "outputs", "workspace"])


FAILURES = {
    "no such table": (
        ("read.py", "shopping_data"),
        {"DATABASE_URL": "sqlite://"},
        (1, "can't read shopping_data: no such table: shopping_data\n"),
    ),
    "no server": (
        ("read.py", "factor_data"),
        {"DATABASE_URL": "mysql+pymysql://u:hidden@127.0.0.1:1/x"},
        (1, "can't read factor_data: (2003, \"Can't connect to MySQL server on '127.0.0.1' "),
    ),
    "no URL": (
        ("read.py", "factor_data"),
        {"DATABASE_URL": "factor.db"},
        (2, "DATABASE_URL is no URL that SQLAlchemy can use: "),
    ),
    "an unknown database": (
        ("read.py", "factor_data"),
        {"DATABASE_URL": "nosql://host/x"},
        (2, "DATABASE_URL is no URL that SQLAlchemy can use: "),
    ),
    "no setting": (("read.py", "factor_data"), {}, (2, "DATABASE_URL is not set: see the env of this task")),
    "no table": (("read.py", "nothing"), {}, (2, "usage: read.py factor_data|shopping_data\n")),
}


@pytest.mark.parametrize(("command", "env", "expected"), FAILURES.values(), ids=FAILURES.keys())
def test_what_reading_says_when_it_fails(
    tmp_path: Path, command: tuple[str, ...], env: dict[str, str], expected: tuple[int, str]
) -> None:
    ended = Pod("sales-report", tmp_path).task(*command, env=env)
    code, message = expected
    assert (ended.code, ended.stderr[: len(message)]) == (code, message)
    assert ended.stderr.count("\n") == 1, "one line, for the attempt's message"
    assert "hidden" not in ended.stderr
    assert ended.outputs is None


def send(directory: Path, run: str, sink: MailSink, change: dict[str, str]) -> Ended:
    """Run the task `mail` alone, on a report of one day; `change` is what its Secret says otherwise."""
    pod = Pod("sales-report", directory, run=run)
    pod.workspace.mkdir(exist_ok=True)
    (pod.workspace / "joined.json").write_text('[{"date": "2025-04-01", "amount": 1, "estimated": false}]')
    (pod.workspace / "report.html").write_text("<html></html>")
    given = secrets("", "", sink.url.replace("smtp://", f"{change.get('scheme', 'smtp')}://")) | change
    env = {"SMTP_URL": given["smtp-url"], "MAIL_FROM": given["mail-from"], "MAIL_TO": given["mail-to"]}
    return pod.task("mail.py", env={**env, "TITLE": "Sales"})


MAIL_FAILURES = {
    "no server": ({"smtp-url": "smtp://127.0.0.1:1"}, 1, "can't send the mail: [Errno 111] Connection refused\n"),
    "no URL": ({"smtp-url": "localhost:25"}, 2, "SMTP_URL must be one of smtp://[user:password@]host[:port], "),
    "one recipient unknown": (
        {"mail-to": f"Sales <sales@example.com>, {REFUSED}"},
        3,
        "the mail server refused {'gone@example.com': (550, b'no such user')}, but took the mail for the others\n",
    ),
    "no recipient known": ({"mail-to": REFUSED}, 1, "can't send the mail: "),
    "no encryption where it is asked for": (
        {"scheme": "smtp+starttls"},
        1,
        "can't send the mail: STARTTLS extension not supported by server.\n",
    ),
}


@pytest.mark.parametrize(("change", "code", "message"), MAIL_FAILURES.values(), ids=MAIL_FAILURES.keys())
def test_what_mailing_says_when_it_fails(
    tmp_path: Path, sink: MailSink, change: dict[str, str], code: int, message: str
) -> None:
    ended = send(tmp_path, "run-1", sink, change)
    assert (ended.code, ended.stderr[: len(message)], ended.outputs) == (code, message, None)


def test_a_second_attempt_sends_the_same_message_id(tmp_path: Path, sink: MailSink) -> None:
    assert [send(tmp_path, run, sink, {}).code for run in ("a", "a", "b")] == [0, 0, 0]
    first, again, other = (str(mail["Message-ID"]) for _, mail in sink.mails)
    assert first == again == "<uid-of-a.sales-report@example.com>"
    assert other != first


def test_days_that_have_nothing_in_common(tmp_path: Path, urls: tuple[str, str]) -> None:
    pod = Pod("sales-report", tmp_path)
    pod.workspace.mkdir()
    (pod.workspace / "filled.json").write_text('[{"date": "2025-04-01", "amount": 1, "estimated": false}]')
    (pod.workspace / "factor_data.json").write_text("[]")
    ended = pod.task("join.py")
    assert (ended.code, ended.stderr) == (2, "none of 1 days of sales is among the 0 days of factors\n")
