"""The mail sink keeps what it is sent."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from windlass.dev.mail import MailSink


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[MailSink]:
    sink = MailSink(tmp_path / "mail")
    sink.start()
    yield sink
    sink.stop()


def message(*attachments: tuple[str, bytes]) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Sales – April", "etl@example.com", "a@example.com, b@example.com"
    mail.set_content("See the report.")
    for name, content in attachments:
        mail.add_attachment(content, maintype="text", subtype="html", filename=name)
    return mail


def send(sink: MailSink, mail: EmailMessage) -> None:
    assert sink.url == f"smtp://127.0.0.1:{sink.port}"
    with smtplib.SMTP("127.0.0.1", sink.port, local_hostname="localhost") as client:
        client.send_message(mail)


def test_a_mail_with_its_attachments(sink: MailSink, tmp_path: Path) -> None:
    send(sink, message(("report.html", b"<p>1</p>"), ("../../report.html", b"<p>2</p>")))
    (kept,) = sink.mails
    assert (kept.sender, kept.subject) == ("etl@example.com", "Sales – April")
    assert kept.recipients == ("a@example.com", "b@example.com")
    assert kept.path == tmp_path / "mail" / "0001.eml"
    assert [path.relative_to(tmp_path).as_posix() for path in kept.attachments] == [
        "mail/0001/report.html",
        "mail/0001/2-report.html",
    ]
    assert [path.read_bytes() for path in kept.attachments] == [b"<p>1</p>", b"<p>2</p>"]
    assert b"See the report." in kept.path.read_bytes()


def test_numbers_go_on_after_a_restart(sink: MailSink, tmp_path: Path) -> None:
    send(sink, message())
    again = MailSink(tmp_path / "mail")
    again.start()
    send(again, message())
    again.stop()
    assert [path.name for path in sorted((tmp_path / "mail").iterdir())] == ["0001.eml", "0002.eml"]
