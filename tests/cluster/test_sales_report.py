"""The sales report on a real cluster: a MariaDB server and a mail server in pods, the manifests the example's own."""

from __future__ import annotations

import json

import pytest

from support.clusters import Cluster, ends
from support.examples import manifest_from
from support.git_server import GitServer
from support.kubectl import kubectl
from support.report_servers import HERE, ReportServers
from support.sales_report import check_mail

pytestmark = pytest.mark.cluster


def test_the_report_is_mailed(cluster: Cluster, git_server: GitServer, report_servers: ReportServers) -> None:
    report_servers.take_mails()
    for manifest in (report_servers.secret(), manifest_from("sales-report", git_server)):
        kubectl("apply", "-n", cluster.namespace, "-f", "-", stdin=manifest)
    kubectl("apply", "-n", cluster.namespace, "-f", str(HERE / "run.yaml"))
    status = cluster.ended("sales-report-1")
    assert status["phase"] == "Succeeded", json.dumps(status, indent=1)
    assert ([phase for phase, _ in ends(status).values()], status["progress"]) == (["Succeeded"] * 6, "6/6")
    (kept,) = report_servers.take_mails()
    check_mail(kept, title="Sales of April 2025", run="sales-report-1")
