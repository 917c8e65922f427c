"""`windlass controller`."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from windlass.cli.failures import Failure
from windlass.cli.lengths import Length

if TYPE_CHECKING:
    from windlass.build.policy import Policy
    from windlass.controller.app import Settings

logger = logging.getLogger(__name__)


@click.command("controller")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    envvar="WINDLASS_METRICS_PORT",
    show_envvar=True,
    help="Where /metrics, /healthz and /readyz are served; 0: any port that is free.",
)
@click.option("--metrics-host", default="0.0.0.0", show_default=True, help="The address that they are served at.")
@click.option("--context", help="The context of the kubeconfig.")
@click.option(
    "--kubeconfig", help="The kubeconfig; by default the pod's service account, $KUBECONFIG or ~/.kube/config."
)
@click.option("--lease-namespace", help="Where the Lease of the leader is kept; by default the login's namespace.")
@click.option(
    "--lease-name",
    default="windlass-controller",
    show_default=True,
    help="Its name: controllers that stand in for each other share one.",
)
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    help="Work on the runs of this namespace only; may be given several times. By default: all of the cluster.",
)
@click.option("--default-image", help="The image of tasks that name none.")
@click.option("--git-sync-image", help="The image that fetches sources.")
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    help="A file with the admin's policies: which pods may be made. By default: any that the cluster takes.",
)
@click.option(
    "--actions-policy",
    metavar="NAME",
    help="The ValidatingAdmissionPolicy, and its binding, by which the cluster checks who asks for a RunAction. "
    "Without it RunActions are refused.",
)
@click.option("--unverified-actions", is_flag=True, help="Carry out RunActions though nobody has checked who asks.")
@click.option(
    "--keep-actions", type=Length(), default="1h", show_default=True, help="How long an answered RunAction stays."
)
@click.option(
    "--log-level",
    default="info",
    show_default=True,
    envvar="WINDLASS_LOG_LEVEL",
    show_envvar=True,
    metavar="LEVEL[,MODULE=LEVEL…]",
    help="debug, info, warning or error, and others for single modules: info,windlass.runs=debug.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    envvar="WINDLASS_LOG_FORMAT",
    show_envvar=True,
)
def command(
    metrics_port: int,
    metrics_host: str,
    context: str | None,
    kubeconfig: str | None,
    lease_namespace: str | None,
    lease_name: str,
    namespaces: tuple[str, ...],
    default_image: str | None,
    git_sync_image: str | None,
    policy_file: Path | None,
    actions_policy: str | None,
    unverified_actions: bool,
    keep_actions: float,
    log_level: str,
    log_format: str,
) -> int:
    """Run the controller until it is told to stop (SIGTERM, SIGINT).

    One that has lost the Lease begins anew in the same process, as a standby.
    """
    from windlass.build.pod import Installation
    from windlass.controller.app import LeadershipLost, Settings
    from windlass.engine.trust import ActionSettings
    from windlass.kube.credentials import find_credentials
    from windlass.telemetry.logs import LogFormat, set_up

    try:
        set_up(log_level, LogFormat(log_format))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--log-level") from None
    usual = Installation()
    settings = Settings(
        credentials=find_credentials(kubeconfig, context, os.environ),
        # Pods of one node may share its host name, and their processes a number.
        identity=f"{socket.gethostname()}_{secrets.token_hex(4)}",
        metrics_host=metrics_host,
        metrics_port=metrics_port,
        lease_namespace=lease_namespace,
        lease_name=lease_name,
        namespaces=tuple(dict.fromkeys(namespaces)),
        policies=_policies(policy_file) if policy_file is not None else (),
        actions=ActionSettings(actions_policy, unverified_actions, timedelta(seconds=keep_actions)),
        installation=Installation(
            default_image=default_image or usual.default_image, git_sync_image=git_sync_image or usual.git_sync_image
        ),
    )
    try:
        return asyncio.run(_run(settings))
    except LeadershipLost as error:
        logger.warning("the controller begins anew: %s", error)
        _begin_anew()


def _begin_anew() -> NoReturn:
    """Put a new program into this process, with the same arguments.

    Nothing of the term that is over lives on: no task, no thread, no connection, no cache. A container that ended
    instead would be kept waiting for longer each time.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)


def _policies(path: Path) -> tuple[Policy, ...]:
    import yaml

    from windlass.build.policy import read_policies

    try:
        return read_policies(yaml.safe_load(path.read_text("utf-8")) or {})
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--policy") from None


async def _run(settings: Settings) -> int:
    from windlass.controller.app import run_controller
    from windlass.errors import ApiError

    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await run_controller(settings, stop)
    except ApiError as error:
        raise Failure(f"the controller ended: {error}") from None
    return 0
