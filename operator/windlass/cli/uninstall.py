"""`windlass uninstall`: what has to be done before the controller goes for good, so that no pod waits for it for ever.

    scale the Deployment to 0 ──▶ wait until its pods are gone ──▶ take Windlass's finalizer off every pod

Definitions, runs, claims and the pods themselves stay: a controller that is installed later goes on with them.
"""

from __future__ import annotations

import asyncio
from typing import Final

import click

from windlass import names
from windlass.cli.cluster import Cluster, with_cluster
from windlass.cli.failures import TIMED_OUT, Failure
from windlass.cli.lengths import Length
from windlass.errors import Conflict, NotFound
from windlass.resources import DEPLOYMENTS, PODS

LOOK_AGAIN: Final = 0.5
AT_ONCE: Final = 16
"""Pods that are patched at a time."""
Pod = tuple[str, str, str]
"""Namespace, name and UID."""


@click.command("uninstall")
@click.argument("deployment", required=False)
@click.option(
    "--runs-in",
    "places",
    multiple=True,
    metavar="NAMESPACE",
    help="Free the pods of this namespace only; may be given several times. By default: all of the cluster.",
)
@click.option(
    "--timeout", "within", type=Length(), default="2m", show_default=True, help="How long the controller has to end."
)
@with_cluster
async def command(cluster: Cluster, deployment: str | None, places: tuple[str, ...], within: float) -> int:
    """Stop the controller and free the pods that wait for it, before it is uninstalled.

    DEPLOYMENT is the controller's, in the namespace of -n; leave it out when the controller is gone already. Pods
    keep running; what they end with is lost unless a controller is installed again before they are deleted.
    """
    if deployment is not None:
        try:
            async with asyncio.timeout(within):
                await _stop(cluster, deployment)
        except TimeoutError:
            raise Failure(f"the controller has not ended after {within:.0f} s; nothing was freed", TIMED_OUT) from None
    freed = 0
    for place in places or (None,):
        freed += await _free(cluster, place)
    click.echo(f"{freed} pods freed" if freed != 1 else "1 pod freed")
    return 0


async def _stop(cluster: Cluster, name: str) -> None:
    where = f"{cluster.namespace}/{name}"
    try:
        found = await cluster.client.get(DEPLOYMENTS, cluster.namespace, name)
        scale = {"spec": {"replicas": 0}}
        await cluster.client.patch(DEPLOYMENTS, cluster.namespace, name, scale, subresource="scale")
    except NotFound:
        click.echo(f"deployment {where} is gone already")
        return
    selector = ",".join(f"{key}={value}" for key, value in found["spec"]["selector"]["matchLabels"].items())
    while True:
        if not await cluster.client.list_all(PODS, cluster.namespace, label_selector=selector):
            click.echo(f"deployment {where} stopped")
            return
        await asyncio.sleep(LOOK_AGAIN)


async def _free(cluster: Cluster, namespace: str | None) -> int:
    """Take the finalizer off all pods that have it; how many those were."""
    selector = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"
    freed = 0
    async for page in cluster.client.pages(PODS, namespace, label_selector=selector):
        held = [pod["metadata"] for pod in page if names.RESULT_FINALIZER in pod["metadata"].get("finalizers", ())]
        pods: list[Pod] = [(meta["namespace"], meta["name"], meta["uid"]) for meta in held]
        for start in range(0, len(pods), AT_ONCE):
            freed += sum(await asyncio.gather(*(_free_one(cluster, pod) for pod in pods[start : start + AT_ONCE])))
    return freed


async def _free_one(cluster: Cluster, pod: Pod) -> bool:
    from windlass.kube.client import STRATEGIC_PATCH

    namespace, name, uid = pod
    body = {"metadata": {"uid": uid, "$deleteFromPrimitiveList/finalizers": [names.RESULT_FINALIZER]}}
    try:
        await cluster.client.patch(PODS, namespace, name, body, content_type=STRATEGIC_PATCH)
    except (NotFound, Conflict):
        return False  # gone, or another pod of that name
    return True
