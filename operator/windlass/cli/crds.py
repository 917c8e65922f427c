"""`windlass crds`."""

from __future__ import annotations

import asyncio
import functools
from typing import Final

import click

from windlass.cli.cluster import Cluster, Target, act_on
from windlass.cli.failures import FAILED, Failure
from windlass.cli.lengths import Length
from windlass.errors import NotFound
from windlass.resources import CRDS

LOOK_AGAIN: Final = 0.3


@click.command("crds")
@click.option("--apply", "applying", is_flag=True, help="Have them in the cluster, and wait until they are served.")
@click.option("--timeout", "within", type=Length(), default="60s", show_default=True, help="How long --apply waits.")
@click.option("--context", help="The context of the kubeconfig.")
@click.option("--kubeconfig", help="The kubeconfig; by default $KUBECONFIG, else ~/.kube/config.")
@click.pass_context
def command(
    ctx: click.Context, applying: bool, within: float, context: str | None, kubeconfig: str | None
) -> int | None:
    """Print the custom resource definitions, or have them in the cluster with --apply."""
    if applying:
        return act_on(ctx, Target(kubeconfig, context), functools.partial(_apply, within=within))
    from windlass.models import crd

    texts = (crd.to_yaml(definition) for definition in crd.definitions().values())
    click.echo("".join(text if text.startswith("---") else f"---\n{text}" for text in texts), nl=False)
    return None


async def _apply(cluster: Cluster, within: float) -> int:
    from windlass.models import crd

    wanted = crd.definitions()
    for definition in wanted.values():
        name = definition["metadata"]["name"]
        before = await _version(cluster, name)
        after = (await cluster.client.apply(CRDS, definition))["metadata"]["resourceVersion"]
        done = "created" if before is None else "unchanged" if before == after else "updated"
        click.echo(f"customresourcedefinition/{name} {done}")
    try:
        async with asyncio.timeout(within):
            for definition in wanted.values():
                await _until_served(cluster, definition["metadata"]["name"])
    except TimeoutError:
        raise Failure(f"the API server does not serve the definitions after {within:.0f} s", FAILED) from None
    return 0


async def _version(cluster: Cluster, name: str) -> str | None:
    try:
        version: str = (await cluster.client.get(CRDS, None, name))["metadata"]["resourceVersion"]
    except NotFound:
        return None
    return version


async def _until_served(cluster: Cluster, name: str) -> None:
    while True:
        found = await cluster.client.get(CRDS, None, name)
        conditions = {one["type"]: one for one in (found.get("status") or {}).get("conditions") or ()}
        if conditions.get("Established", {}).get("status") == "True":
            return
        names = conditions.get("NamesAccepted", {})
        if names.get("status") == "False":
            raise Failure(f"{name} can't be served: {names.get('message') or names.get('reason')}", FAILED)
        await asyncio.sleep(LOOK_AGAIN)
