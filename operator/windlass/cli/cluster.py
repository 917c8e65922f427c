"""The cluster that a command talks to: kubectl's options, and a client for as long as the command runs."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from windlass.cli.failures import FAILED, Failure, in_one_line
from windlass.errors import ApiError, Forbidden, NotFound, Unauthorized, Unreachable

if TYPE_CHECKING:
    from windlass.kube.client import KubeClient

NO_SUCH_KIND: Final = ("404 page not found", "could not find the requested resource")
"""What an API server says of a kind that it doesn't have: of a whole group, and of one in a group."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which cluster and namespace, as far as the options say."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """A connection, and the namespace that is meant where none is named."""

    client: KubeClient
    namespace: str
    namespace_given: bool = False
    """The namespace was said with -n."""


Connect = Callable[[Target], AbstractAsyncContextManager[Cluster]]
"""How to reach a cluster. Tests put theirs into `ctx.obj`."""


@asynccontextmanager
async def connect(target: Target) -> AsyncIterator[Cluster]:
    """Log in as kubectl would."""
    from windlass.kube.client import KubeClient
    from windlass.kube.credentials import find_credentials

    credentials = find_credentials(target.kubeconfig, target.context, os.environ)
    async with KubeClient(credentials) as client:
        namespace = target.namespace or (await client.login()).namespace
        yield Cluster(client, namespace, target.namespace is not None)


def with_cluster(act: Callable[..., Awaitable[int | None]]) -> Callable[..., int | None]:
    """Make a command's callback of a coroutine function that takes a Cluster first."""

    @click.option("-n", "--namespace", help="The namespace; by default the one of the context.")
    @click.option("--context", help="The context of the kubeconfig.")
    @click.option("--kubeconfig", help="The kubeconfig; by default $KUBECONFIG, else ~/.kube/config.")
    @click.pass_context
    @functools.wraps(act)
    def callback(
        ctx: click.Context, /, *, namespace: str | None, context: str | None, kubeconfig: str | None, **given: Any
    ) -> int | None:
        return act_on(ctx, Target(kubeconfig, context, namespace), functools.partial(act, **given))

    return callback


def act_on(ctx: click.Context, target: Target, act: Callable[[Cluster], Awaitable[int | None]]) -> int | None:
    """Do something with a cluster; what its API refuses is a Failure in one line."""
    opening: Connect = ctx.obj or connect

    async def whole() -> int | None:
        async with opening(target) as cluster:
            return await act(cluster)

    try:
        return asyncio.run(whole())
    except ApiError as error:
        raise Failure(explain(error), FAILED) from error


def explain(error: ApiError) -> str:
    """An answer of the API in one line, with what to do where that is known."""
    text = in_one_line(error)
    if error.reason == "LoginFailed":
        return f"{text} (name one with --kubeconfig, or start a development cluster: windlass dev)"
    if isinstance(error, Unauthorized):
        return f"the cluster doesn't let you in: {text} (check your kubeconfig, or log in again)"
    if isinstance(error, Unreachable):
        return f"can't reach the cluster: {text} (is it running, and the right one? see --context and --kubeconfig)"
    if isinstance(error, NotFound) and any(words in text for words in NO_SUCH_KIND):
        return "the cluster doesn't know Windlass's kinds: install them with windlass crds | kubectl apply -f -"
    if isinstance(error, Forbidden):
        return f"not allowed: {text} (ask an administrator for the right)"
    return text
