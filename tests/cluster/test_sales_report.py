"""The sales report on a real cluster: a MariaDB server and a mail server in pods, the manifests the example's own."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from support.clusters import Cluster, ends
from support.examples import EXAMPLES, manifest_from
from support.git_server import GitServer
from support.images import MARIADB, SALES_REPORT, make_mariadb, make_sales_report
from support.kubectl import kubectl
from support.mariadb import MariaDB, grants
from support.sales_report import check_mail, secrets
from support.servers import Server, await_ready, start

pytestmark = pytest.mark.cluster
HERE = EXAMPLES / "sales-report"
DATABASES = ("shopping", "factors")
SINK = Path(__file__).parent / "servers" / "mail_sink.py"
_SERVE = """\
cp -r /opt/mariadb/data/. /data
cd /opt/mariadb
exec ./ld-linux-x86-64.so.2 --library-path /opt/mariadb ./mariadbd --no-defaults --datadir=/data \\
  --lc-messages-dir=/opt/mariadb/share --character-sets-dir=/opt/mariadb/share/charsets --init-file=/files/first.sql \\
  --bind-address=0.0.0.0 --port=3306 --socket=/tmp/socket --pid-file=/tmp/pid --skip-name-resolve
"""


@dataclass(frozen=True)
class Servers:
    """What the report reads from and mails to."""

    database: MariaDB
    mail: Server

    def mails(self) -> list[tuple[list[str], EmailMessage]]:
        """The mails that came, with the addresses they were for."""
        said = self.mail.execute("bash", "-c", "shopt -s nullglob; for one in /mails/*; do cat $one; echo; done")
        found = [json.loads(line) for line in said.splitlines()]
        parsed = [message_from_string(one["content"], policy=policy.default) for one in found]
        return [(one["recipients"], mail) for one, mail in zip(found, parsed, strict=True)]


@pytest.fixture(scope="module")
def servers(image_kit: None, namespace: str) -> Servers:
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
    mariadb = MariaDB(database.address.partition(":")[0], database.port)
    mail.execute("python3", "-B", "/files/seed.py", *(mariadb.url(name) for name in DATABASES))
    return Servers(mariadb, mail)


def test_the_report_is_mailed(cluster: Cluster, git_server: GitServer, servers: Servers) -> None:
    shopping, factors = (servers.database.url(name) for name in DATABASES)
    login = secrets(shopping, factors, f"smtp://{servers.mail.address}")
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sales-report"}}
    kubectl("apply", "-n", cluster.namespace, "-f", "-", stdin=json.dumps({**body, "stringData": login}))
    manifest = manifest_from("sales-report", git_server)
    kubectl("apply", "-n", cluster.namespace, "-f", "-", stdin=manifest)
    kubectl("apply", "-n", cluster.namespace, "-f", str(HERE / "run.yaml"))
    status = cluster.ended("sales-report-1")
    assert status["phase"] == "Succeeded", json.dumps(status, indent=1)
    assert ([phase for phase, _ in ends(status).values()], status["progress"]) == (["Succeeded"] * 6, "6/6")
    (kept,) = servers.mails()
    check_mail(kept, title="Sales of April 2025", run="sales-report-1")
