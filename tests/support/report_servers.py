"""What the sales report needs of the world, in pods: a MariaDB server with its rows, and a mail server."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path

from support.examples import EXAMPLES
from support.images import MARIADB, SALES_REPORT, make_mariadb, make_sales_report
from support.mariadb import MariaDB, grants
from support.sales_report import secrets
from support.servers import Server, await_ready, start

HERE = EXAMPLES / "sales-report"
DATABASES = ("shopping", "factors")
SINK = Path(__file__).parents[1] / "cluster" / "servers" / "mail_sink.py"
_SERVE = """\
cp -r /opt/mariadb/data/. /data
cd /opt/mariadb
exec ./ld-linux-x86-64.so.2 --library-path /opt/mariadb ./mariadbd --no-defaults --datadir=/data \\
  --lc-messages-dir=/opt/mariadb/share --character-sets-dir=/opt/mariadb/share/charsets --init-file=/files/first.sql \\
  --bind-address=0.0.0.0 --port=3306 --socket=/tmp/socket --pid-file=/tmp/pid --skip-name-resolve
"""


@dataclass(frozen=True)
class ReportServers:
    """What the report reads from and mails to."""

    database: MariaDB
    mail: Server

    @classmethod
    def start(cls, namespace: str) -> ReportServers:
        """Both servers, and the rows of the example in two databases."""
        for make in (make_sales_report, make_mariadb):
            with tempfile.TemporaryDirectory(prefix="image-") as directory:
                make(Path(directory))
        mail, database = Server(namespace, "mail", 8025), Server(namespace, "mariadb", 3306)
        files = {path.name: path.read_text("utf-8") for path in (SINK, HERE / "seed.py", HERE / "tasks" / "tables.py")}
        start(mail, SALES_REPORT, ["python3", "-B", f"/files/{SINK.name}"], files=files, directories=("/mails",))
        first = {"first.sql": grants(DATABASES)}
        start(database, MARIADB, ["bash", "-ec", _SERVE], files=first, directories=("/data",))
        await_ready(mail, database)
        mail.reach(database)
        mariadb = MariaDB(database.address.partition(":")[0], database.port)
        mail.execute("python3", "-B", "/files/seed.py", *(mariadb.url(name) for name in DATABASES))
        return cls(mariadb, mail)

    def secret(self) -> str:
        """The Secret of the example, which leads to these servers."""
        shopping, factors = (self.database.url(name) for name in DATABASES)
        login = secrets(shopping, factors, f"smtp://{self.mail.address}")
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sales-report"}}
        return json.dumps({**body, "stringData": login})

    def take_mails(self) -> list[tuple[list[str], EmailMessage]]:
        """The mails that came since they were taken last, with the addresses they were for."""
        said = self.mail.execute(
            "bash", "-c", "shopt -s nullglob; for one in /mails/*; do cat $one; rm $one; echo; done"
        )
        found = [json.loads(line) for line in said.splitlines()]
        parsed = [message_from_string(one["content"], policy=policy.default) for one in found]
        return [(one["recipients"], mail) for one, mail in zip(found, parsed, strict=True)]
