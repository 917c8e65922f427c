"""A mail server that delivers nothing: each message becomes a file, its attachments lie beside it.

<directory>/0001.eml
<directory>/0001/report.html
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path, PurePosixPath
from typing import Any, Final

from aiosmtpd.controller import Controller

HOST: Final = "127.0.0.1"
SIZE_LIMIT: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mail:
    """A message that was kept."""

    path: Path
    sender: str
    recipients: tuple[str, ...]
    subject: str
    attachments: tuple[Path, ...]


class MailSink:
    """Takes all mail on a loopback port (0: a free one) from `start` to `stop`, in a thread of its own."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self._directory = directory
        self._count = 0
        self._controller = _Controller(self, hostname=HOST, port=port, data_size_limit=SIZE_LIMIT)
        self.mails: list[Mail] = []

    @property
    def port(self) -> int:
        return int(self._controller.port)

    @property
    def url(self) -> str:
        """What goes into the Secret of a program that sends mail."""
        return f"smtp://{HOST}:{self.port}"

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._count = max((int(path.stem) for path in self._directory.glob("*.eml") if path.stem.isdigit()), default=0)
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    def keep(self, content: bytes, sender: str, recipients: Iterable[str]) -> Mail:
        """Write a message to the directory."""
        self._count += 1
        path = self._directory / f"{self._count:04}.eml"
        path.write_bytes(content)
        message = message_from_bytes(content, policy=default)
        attachments = tuple(_attachments(message, path.with_suffix("")))
        subject = str(message.get("subject", ""))
        mail = Mail(path, sender, tuple(recipients), subject, attachments)
        self.mails.append(mail)
        return mail

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Called by aiosmtpd with each message."""
        try:
            kept = self.keep(envelope.original_content or envelope.content, envelope.mail_from, envelope.rcpt_tos)
        except OSError as error:
            return f"452 the message could not be kept: {error.strerror}"
        return f"250 kept as {kept.path.name}"


class _Controller(Controller):
    """Knows its port when the system chose it."""

    def _trigger_server(self) -> None:
        if isinstance(self.server, asyncio.Server):
            self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # of aiosmtpd


def _attachments(message: EmailMessage, directory: Path) -> Iterable[Path]:
    for number, part in enumerate(message.iter_attachments(), start=1):
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        directory.mkdir(exist_ok=True)
        name = PurePosixPath((part.get_filename() or "").replace("\\", "/")).name
        path = directory / (re.sub(r"[^\w. -]", "_", name).lstrip(".") or f"attachment-{number}")
        if path.exists():
            path = path.with_name(f"{number}-{path.name}")
        path.write_bytes(content)
        yield path
