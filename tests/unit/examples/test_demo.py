"""examples/sales-report/demo.py: what it takes for success and what not. The demo as a whole is a scenario."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from support.examples import load

demo = load("sales-report", "demo")
mail = load("sales-report", "mail")

SUMS = {"days": 1, "total": 1.0, "mean": 1.0, "best": 1.0, "bestDay": "2025-04-01", "estimated": 0}
GOOD = "".join(demo.EXPECTED)


def cluster(state: Path, *reports: str) -> object:
    """A cluster whose mail sink has kept a mail for each of the reports; their runs' UIDs are 0, 1, 2 …"""
    kept = state / "mail"
    kept.mkdir()
    for number, report in enumerate(reports):
        message = mail.compose("a@example.com", "b@example.com", "Sales", SUMS, report.encode())
        message.replace_header("Message-ID", f"<{number}@example.com>")
        (kept / f"{number}.eml").write_bytes(message.as_bytes())
    return demo.Cluster(state, state / "kubeconfig", "smtp://127.0.0.1:1", kept, state / "shared")


def test_the_report_is_that_of_the_run_s_own_mail(tmp_path: Path) -> None:
    found = cluster(tmp_path, "of an earlier run", GOOD)
    path, message = demo.find_mail(found, "<1@example.com>")
    report = demo.save_report(found, message)
    assert (path, report, report.read_text()) == (tmp_path / "mail" / "1.eml", tmp_path / "report.html", GOOD)


def test_a_mail_that_did_not_come(tmp_path: Path) -> None:
    with pytest.raises(demo.DemoError, match=r"the run says that it sent the mail <9@example.com>"):
        demo.find_mail(cluster(tmp_path, GOOD), "<9@example.com>")


def test_a_report_with_a_wrong_figure(tmp_path: Path) -> None:
    found = cluster(tmp_path, GOOD.replace("185.56", "188.75"))
    _, message = demo.find_mail(found, "<0@example.com>")
    with pytest.raises(demo.DemoError, match=r"lacks 185\.56$"):
        demo.save_report(found, message)


def test_a_cluster_that_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "windlass"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(demo, "WINDLASS", program)
    monkeypatch.setattr("sys.argv", ["demo.py", "--state", str(tmp_path / "state")])
    assert demo.main() == 1
    assert capsys.readouterr().err == (
        f"the demo failed: the development cluster did not start: {program} dev --detach --state {tmp_path}/state\n"
    )
