"""`windlass controller`."""

from __future__ import annotations

import click


@click.command("controller")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    envvar="WINDLASS_METRICS_PORT",
    show_envvar=True,
    help="Where /metrics, /healthz and /readyz are served.",
)
@click.option("-n", "--namespace", "namespaces", multiple=True, help="Watch only this namespace; may be repeated.")
@click.option("--context", help="The context of the kubeconfig.")
@click.option(
    "--kubeconfig", help="The kubeconfig; by default the pod's service account, $KUBECONFIG or ~/.kube/config."
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    default="info",
    show_default=True,
    envvar="WINDLASS_LOG_LEVEL",
    show_envvar=True,
)
def command(
    metrics_port: int, namespaces: tuple[str, ...], context: str | None, kubeconfig: str | None, log_level: str
) -> int:
    """Run the controller until it is told to stop (SIGTERM, SIGINT)."""
    from windlass.controller import app

    settings = app.Settings(
        kubeconfig=kubeconfig,
        context=context,
        namespaces=namespaces,
        metrics_port=metrics_port,
        log_level=log_level,
    )
    return app.main(settings)
