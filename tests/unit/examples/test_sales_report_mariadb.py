"""examples/sales-report on a real MariaDB: the same rows, tasks and manifest as on SQLite, with two databases of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from support.examples import Pod, load, run_all
from support.mailsink import mail_sink
from support.mariadb import mariadb, missing
from support.sales_report import check_mail, secrets

seed = load("sales-report", "seed")


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_the_tasks_of_the_manifest_on_mariadb(tmp_path: Path) -> None:
    pod = Pod("sales-report", tmp_path)
    with (
        tempfile.TemporaryDirectory(prefix="mariadb-") as directory,
        mariadb(Path(directory), "shopping", "factors") as server,
        mail_sink() as sink,
    ):
        given = secrets(server.url("shopping"), server.url("factors"), sink.url)
        for _ in range(2):
            # The second time over the tables of the first.
            seed.seed(given["shopping-url"], given["factor-url"])
        done = run_all(pod, params={"title": "Sales"}, secrets=given)
        refused = pod.task("read.py", "shopping_data", env={"DATABASE_URL": server.url("mysql")})
    assert [(ended.code, ended.stderr) for ended in done.values()] == [(0, "")] * 6
    (kept,) = sink.mails
    check_mail(kept, title="Sales", run="run-1")
    assert refused.code == 1
    assert "Access denied for user 'windlass'" in refused.stderr
