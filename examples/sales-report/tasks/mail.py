"""Mail the report, attached, through the server at $SMTP_URL."""

from __future__ import annotations

import os
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, getaddresses, parseaddr
from urllib.parse import unquote, urlsplit

from handover import give_up, read_rows, setting, workspace, write_outputs
from report import REPORT, figures

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
TIMEOUT = 30.0
REFUSED = 3
"""Exit code when the server took the mail for some recipients only: another attempt would reach those twice."""


def compose(
    sender: str, recipients: str, subject: str, sums: dict[str, float | int | str], report: bytes
) -> EmailMessage:
    """The mail. Its Message-ID comes from the run, so that the copy of a second attempt is known as one."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = recipients
    message["Subject"] = subject
    message["Date"] = formatdate()
    run, uid = os.environ.get("WINDLASS_RUN", "by hand"), os.environ.get("WINDLASS_RUN_UID", "by-hand")
    message["Message-ID"] = f"<{uid}.sales-report@{parseaddr(sender)[1].rpartition('@')[2]}>"
    message.set_content(
        f"{subject}\n\n"
        f"Total {sums['total']:,.2f} in {sums['days']} days, {sums['mean']:,.2f} a day.\n"
        f"The best day was {sums['bestDay']} with {sums['best']:,.2f}.\n"
        f"{sums['estimated']} of these days are estimated.\n\n"
        f"The report is attached. It was made by the run {run}.\n"
    )
    message.add_attachment(report, maintype="text", subtype="html", filename="sales-report.html")
    return message


def connect(url: str) -> smtplib.SMTP:
    """A session with the server of `smtp://`, `smtp+starttls://` or `smtps://user:password@host:port`."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        give_up(f"SMTP_URL must be one of {', '.join(f'{s}://[user:password@]host[:port]' for s in PORTS)}", code=2)
    port = parts.port or PORTS[parts.scheme]
    if parts.scheme == "smtps":
        session: smtplib.SMTP = smtplib.SMTP_SSL(
            parts.hostname, port, timeout=TIMEOUT, context=ssl.create_default_context()
        )
    else:
        session = smtplib.SMTP(parts.hostname, port, timeout=TIMEOUT)
    if parts.scheme == "smtp+starttls":
        session.starttls(context=ssl.create_default_context())
    if parts.username:
        session.login(unquote(parts.username), unquote(parts.password or ""))
    return session


def main() -> None:
    """Mail the report of the workspace."""
    report = (workspace() / REPORT).read_bytes()
    message = compose(setting("MAIL_FROM"), setting("MAIL_TO"), setting("TITLE"), figures(read_rows("joined")), report)
    recipients = [address for _, address in getaddresses([message["To"]])]
    try:
        with connect(setting("SMTP_URL")) as session:
            refused = session.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        give_up(f"can't send the mail: {error}")
    if refused:
        give_up(f"the mail server refused {refused}, but took the mail for the others", code=REFUSED)
    write_outputs({"messageId": message["Message-ID"], "recipients": recipients, "bytes": len(report)})
    print(f"sent to {', '.join(recipients)}")


if __name__ == "__main__":
    main()
