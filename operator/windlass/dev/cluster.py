"""The development cluster as a whole, in one process: the API server, the pods, a mail sink, and the real controller.

<state>/kubeconfig     how kubectl, windlass and the controller reach it
<state>/objects.jsonl  what it keeps over a restart
<state>/shared         a directory that all pods see at its own path
<state>/mail           the mails that were sent, as files
<state>/dev.json       where all this is, once everything is ready
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from windlass.controller.app import Settings, run_controller
from windlass.controller.clock import SystemClock
from windlass.dev.api.logs import LogRequest
from windlass.dev.api.server import DevApi
from windlass.dev.pods import PodRunner
from windlass.engine.trust import ActionSettings
from windlass.errors import AlreadyExists
from windlass.kube.credentials import Login, Tls
from windlass.models import crd
from windlass.models.rules import violations
from windlass.resources import CRDS
from windlass.telemetry import logs

logger = logging.getLogger(__name__)
IDENTITY: Final = "windlass-dev"
"""The lock of the state lets one process at a time be this."""


@dataclass(frozen=True, slots=True)
class About:
    """Where the parts of a running cluster are: what stands in dev.json."""

    pid: int
    url: str
    kubeconfig: str
    metrics: str
    shared: str
    mail: str | None
    """The directory of the mails; None where aiosmtpd is not installed."""
    smtp: str | None


@dataclass(frozen=True, slots=True)
class StaticCredentials:
    """A login that never changes."""

    found: Login

    async def login(self) -> Login:
        return self.found


def run_dev(state: Path) -> None:
    """Run a cluster until SIGTERM or SIGINT. HostUnfit, before anything starts, when this machine can't run pods."""
    logs.set_up("INFO")
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells of every connection
    asyncio.run(_run(state))


async def _run(state: Path) -> None:
    loop, whole = asyncio.get_running_loop(), asyncio.current_task()
    assert whole is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, whole.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await _serve(state)


async def _serve(state: Path) -> None:
    async with dev_cluster(state) as about:
        _write(state / "dev.json", json.dumps(asdict(about), indent=2))
        print(f"ready. In another terminal:\n  export KUBECONFIG={about.kubeconfig}", file=sys.stderr)  # noqa: T201
        await asyncio.Event().wait()


@asynccontextmanager
async def dev_cluster(state: Path, *, api: DevApi | None = None) -> AsyncIterator[About]:
    """A cluster for as long as the block lasts; ready when it begins. Tests give an `api` of their own, with faults."""
    await asyncio.to_thread(state.mkdir, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        server = api or DevApi(state, token=_token(state), validators=_validators())
        runner = PodRunner(server.store, state, SystemClock())
        server.log_provider = lambda asked: _logs(runner, asked)
        await runner.start()
        stack.push_async_callback(runner.stop)
        if not server.url:
            await stack.enter_async_context(server)
        for definition in crd.definitions().values():
            _apply(server, definition)
        _write(state / "kubeconfig", yaml.safe_dump(server.kubeconfig()))
        _write(state / "ca.crt", server.certificate)
        smtp = _mail(state, stack)
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await stack.enter_async_context(_controller(server, state, ready))
        await ready
        yield About(
            pid=os.getpid(),
            url=server.url,
            kubeconfig=str(state / "kubeconfig"),
            metrics=f"{ready.result()}/metrics",
            shared=str(runner.shared),
            mail=str(state / "mail") if smtp else None,
            smtp=smtp,
        )


@asynccontextmanager
async def _controller(server: DevApi, state: Path, ready: asyncio.Future[str]) -> AsyncIterator[None]:
    login = Login(server.url, authorization=f"Bearer {server.token}", tls=Tls(ca=str(state / "ca.crt")))
    stop = asyncio.Event()
    settings = Settings(
        credentials=StaticCredentials(login),
        identity=IDENTITY,
        metrics_host="127.0.0.1",
        actions=ActionSettings(unverified=True),
        on_ready=lambda url: None if ready.done() else ready.set_result(url),
    )
    task = asyncio.create_task(_keep_running(settings, stop), name="controller")
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait({task})


async def _keep_running(settings: Settings, stop: asyncio.Event) -> None:
    """Start the controller again when it ends, as a Deployment would."""
    while not stop.is_set():
        try:
            await run_controller(settings, stop)
        except Exception:
            logger.exception("the controller ended; it is started again")
            await asyncio.sleep(1.0)


def _logs(runner: PodRunner, asked: LogRequest) -> AsyncIterator[bytes]:
    since = asked.since_time
    if asked.since_seconds is not None:
        since = SystemClock().now() - timedelta(seconds=asked.since_seconds)
    return runner.logs(
        asked.namespace,
        asked.pod,
        asked.container,
        follow=asked.follow,
        tail_lines=asked.tail_lines,
        timestamps=asked.timestamps,
        since=since,
        limit_bytes=asked.limit_bytes,
        previous=asked.previous,
    )


def _mail(state: Path, stack: AsyncExitStack) -> str | None:
    try:
        from windlass.dev.mail import MailSink
    except ImportError:
        logger.warning("mail is not kept: aiosmtpd is not installed (pip install 'windlass[examples]')")
        return None
    sink = MailSink(state / "mail")
    sink.start()
    stack.callback(sink.stop)
    return sink.url


def _apply(server: DevApi, definition: dict[str, Any]) -> None:
    """Bring a definition to the state that this version of Windlass wants."""
    name = definition["metadata"]["name"]
    try:
        server.store.create(CRDS, definition)
    except AlreadyExists:
        server.store.patch(CRDS, None, name, {"spec": definition["spec"]})


def _validators() -> Mapping[str, Sequence[Callable[[Mapping[str, Any], Mapping[str, Any] | None], list[str]]]]:
    """What the rules of the definitions say; the development server evaluates no CEL."""

    def of(kind: str) -> Callable[[Mapping[str, Any], Mapping[str, Any] | None], list[str]]:
        return lambda new, old: [str(found) for found in violations(kind, new, old)]

    return {kind: [of(kind)] for kind in ("Workflow", "WorkflowRun", "RunAction")}


def _token(state: Path) -> str:
    """The token of this state: the same over restarts, so that a kubeconfig that was copied still serves."""
    path = state / "token"
    with contextlib.suppress(FileNotFoundError):
        return path.read_text("ascii")
    token = secrets.token_urlsafe(24)
    _write(path, token)
    return token


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one step."""
    partial = path.with_suffix(".partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    partial.replace(path)
