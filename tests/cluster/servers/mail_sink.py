"""A mail server for the tests, in a pod: it keeps what it is sent as /mails/<number>.json."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

MAILS = Path("/mails")


class Keeper:
    """Writes each mail to a file of its own."""

    def __init__(self) -> None:
        self._count = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's
        self._count += 1
        content = envelope.content
        assert isinstance(content, bytes)
        mail = {"recipients": envelope.rcpt_tos, "content": content.decode()}
        (MAILS / f"{self._count:03}.json").write_text(json.dumps(mail), encoding="utf-8")
        return "250 kept"


async def main() -> None:
    keeper = Keeper()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(keeper), "", 8025)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
