"""`make demo`: run the sales report on the development cluster, from nothing to the mail.

Starts the cluster (and leaves it running), makes two SQLite databases, applies the Secret and the Workflow, shows the
run, and checks the report that came by mail. Exit code 0 when the run succeeded and the report is right, else 1.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import yaml
from seed import seed

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NAMESPACE = "default"
WINDLASS = Path(sys.executable).with_name("windlass")
EXPECTED = ("<table>", "<svg", "185.56", "2,450.56", "2025-04-14")
"""What a right report has: the mean of the 18 known amounts in the place of the missing one, and the total."""


class DemoError(Exception):
    """The demo can't go on; the text says why."""


@dataclass(frozen=True)
class Cluster:
    """The development cluster that the demo uses."""

    state: Path
    kubeconfig: Path
    smtp: str
    mail: Path
    shared: Path
    """The directory that all its pods see."""


def start_cluster(state: Path) -> Cluster:
    """Start the development cluster, or find the one that runs, and read how to reach it."""
    command = [str(WINDLASS), "dev", "--detach", "--state", str(state)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise DemoError(f"the development cluster did not start: {shlex.join(command)}")
    about = json.loads((state / "dev.json").read_text(encoding="utf-8"))
    if not about["smtp"]:
        raise DemoError(
            "the development cluster has no mail sink: pip install 'windlass[examples]', and start it again"
        )
    return Cluster(state, Path(done.stdout.strip()), about["smtp"], Path(about["mail"]), Path(about["shared"]))


def publish(directory: Path) -> str:
    """Bring the tasks' code to a git repository of this machine; return the manifest that takes it from there."""
    command = [sys.executable, str(ROOT / "examples" / "publish.py"), str(HERE), "--to", str(directory)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise DemoError(f"the tasks' code could not be published: {shlex.join(command)}")
    return done.stdout


def secret(cluster: Cluster) -> str:
    """Make the databases, and the Secret that tells the tasks where they and the mail server are."""
    data = cluster.shared / "databases"
    data.mkdir(parents=True, exist_ok=True)
    shopping, factor = (f"sqlite:///{data / name}" for name in ("shopping.db", "factor.db"))
    seed(shopping, factor)
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "sales-report"},
        "stringData": {
            "shopping-url": shopping,
            "factor-url": factor,
            "smtp-url": cluster.smtp,
            "mail-from": "windlass@example.com",
            "mail-to": "sales@example.com",
        },
    }
    return yaml.safe_dump(body)


def run(cluster: Cluster, name: str, manifest: str) -> None:
    """Apply the manifest, start a run of its Workflow, and show it until its end."""
    command = windlass(cluster, "run", "-f", "-", "--name", name, "-p", "title=Sales of April 2025", "--watch")
    if code := subprocess.run(command, input=manifest, text=True, check=False).returncode:
        raise DemoError(f"the run {name} did not succeed (exit code {code}): see what it says above")


def message_id(cluster: Cluster, name: str) -> str:
    """The Message-ID of the mail that the run says it has sent."""
    command = windlass(cluster, "status", name, "-o", "json")
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    (sent,) = (task["outputs"]["messageId"] for task in found["status"]["tasks"] if task["name"] == "mail")
    return str(sent)


def windlass(cluster: Cluster, *arguments: str) -> list[str]:
    """A command of windlass on the demo's cluster."""
    return [str(WINDLASS), *arguments, "-n", NAMESPACE, "--kubeconfig", str(cluster.kubeconfig)]


def find_mail(cluster: Cluster, message_id: str) -> tuple[Path, EmailMessage]:
    """The mail with this Message-ID among those that the cluster's mail sink has kept."""
    for path in sorted(cluster.mail.glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        if message["Message-ID"] == message_id:
            return path, message
    raise DemoError(f"the run says that it sent the mail {message_id}, but {cluster.mail} doesn't have it")


def save_report(cluster: Cluster, message: EmailMessage) -> Path:
    """Save the report that is attached to the mail, and check what it says."""
    attached = [part for part in message.iter_attachments() if part.get_content_type() == "text/html"]
    if len(attached) != 1:
        raise DemoError(f"the mail has {len(attached)} reports attached, not one")
    report = cluster.state / "report.html"
    text = attached[0].get_content()
    report.write_text(text, encoding="utf-8")
    missing = [part for part in EXPECTED if part not in text]
    if missing:
        raise DemoError(f"the report {report} lacks {', '.join(missing)}")
    return report


def demo(state: Path) -> None:
    """The whole demo. DemoError says what went wrong."""
    cluster = start_cluster(state)
    name = time.strftime("sales-report-demo-%m%d-%H%M%S")
    run(cluster, name, "---\n".join([secret(cluster), publish(cluster.shared / "source")]))
    mail, message = find_mail(cluster, message_id(cluster, name))
    report = save_report(cluster, message)
    reach = f"--kubeconfig {shown(cluster.kubeconfig)}"
    print(
        f"\nThe report:  {report}"
        f"\nThe mail:    {mail}"
        "\n\nThe cluster goes on. Look around:"
        f"\n  {shown(WINDLASS)} status {name} {reach}"
        f"\n  {shown(WINDLASS)} logs {name} report {reach}"
        f"\n  {shown(WINDLASS)} graph sales-report {reach}"
        f"\n  kubectl {reach} get workflowruns,pods"
        f"\nStop it:\n  {shown(WINDLASS)} dev stop --state {shown(state)}"
    )


def shown(path: Path) -> str:
    """A path as short as it can be typed here."""
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def main() -> int:
    """Run the demo with the state that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, default=ROOT / ".windlass" / "demo", help="where the cluster's state is")
    arguments = parser.parse_args()
    try:
        demo(arguments.state.resolve())
    except (DemoError, subprocess.CalledProcessError, OSError) as error:
        print(f"the demo failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
