"""Where the API server is and how to be let in: from a kubeconfig, or as a pod's service account.

A login can be asked for again at any time: after a 401, or when a token's file may have been rotated. What is secret
in it appears in no representation.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from windlass.errors import Unauthorized

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_FRESH_FOR: Final = 60.0
"""Seconds after which the token of a service account is read again: the kubelet rotates it well before its end."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What a TLS connection is made with. Paths of files, which may change under their names."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    verify: bool = True
    server_name: str | None = None

    def stamp(self) -> tuple[tuple[str, int, int], ...]:
        """Changes when one of the files does."""
        stats = ((path, Path(path).stat()) for path in (self.ca, self.certificate, self.key) if path)
        return tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats)

    def context(self) -> ssl.SSLContext:
        """A context for connections to the server."""
        context = ssl.create_default_context(cafile=self.ca)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


@dataclass(frozen=True, slots=True)
class Login:
    """A way in. `authorization` is the whole header, `Bearer …`, or None where a certificate is all there is."""

    server: str
    namespace: str = "default"
    """Of the context, or of the pod."""
    authorization: str | None = field(default=None, repr=False)
    tls: Tls | None = None
    """None for plain http."""
    proxy: str | None = field(default=None, repr=False)
    fresh_for: float | None = None
    """Seconds until it is to be read again; None: as long as the server takes it."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.authorization} if self.authorization else {}


class Credentials(Protocol):
    """Gives logins."""

    async def login(self) -> Login:
        """Read everything anew. Unauthorized when there is no way in."""
        ...


class KubeconfigCredentials:
    """A context of a kubeconfig: certificates, tokens, basic auth, exec plugins and auth providers.

    `path` may name several files, separated like KUBECONFIG; None is `~/.kube/config`. `context` None is the current.
    """

    def __init__(self, path: str | None = None, context: str | None = None) -> None:
        self.path = path
        self.context = context

    def __repr__(self) -> str:
        return f"KubeconfigCredentials({self.path!r}, {self.context!r})"

    async def login(self) -> Login:
        return await asyncio.to_thread(self._load)

    def _load(self) -> Login:
        # Imported late: its models weigh tens of megabytes, which a controller in a cluster can do without.
        from kubernetes.client import Configuration
        from kubernetes.config.kube_config import KubeConfigLoader

        path = self.path or str(Path("~/.kube/config").expanduser())
        try:
            merged = _read(path)
            _check_context(merged.value, self.context)
            # The package has no types.
            loader = KubeConfigLoader(merged, self.context)  # type: ignore[no-untyped-call]
            found = Configuration()
            loader.load_and_set(found)  # type: ignore[no-untyped-call]
            context: dict[str, Any] = loader.current_context["context"]
            login = _login_of(found, context.get("namespace") or "default")
            plugin = _plugin_of([entry.value for entry in merged.value["users"]], context.get("user"))
        except Exception as error:  # of a file that is no kubeconfig, its readers raise anything
            message = f"no way into the cluster by the kubeconfig {path}: {_words(error)}"
            raise Unauthorized(message, reason="LoginFailed") from None
        if plugin and not login.authorization and not (login.tls and login.tls.certificate):
            message = f"no way into the cluster by the kubeconfig {path}: its plugin {plugin} gave no credentials"
            raise Unauthorized(message, reason="LoginFailed")
        return login


class _Unusable(Exception):
    """Why a kubeconfig is of no use, in words for people."""


def _read(path: str) -> Any:
    from kubernetes.config.kube_config import KubeConfigMerger
    from yaml import YAMLError

    try:
        merged = KubeConfigMerger(path).config  # type: ignore[no-untyped-call]
    except (AttributeError, KeyError, TypeError, UnicodeDecodeError, YAMLError):
        raise _Unusable("it is no kubeconfig") from None
    if merged is None:
        raise _Unusable("there is no such file")
    return merged


def _check_context(kubeconfig: dict[str, Any], context: str | None) -> None:
    names = [str(entry["name"]) for entry in kubeconfig.get("contexts") or []]
    wanted = context or kubeconfig.get("current-context")
    if not wanted:
        raise _Unusable("it names no current context" + (f"; it has {', '.join(names)}" if names else ""))
    if wanted not in names:
        raise _Unusable(f'it has no context "{wanted}"' + (f"; it has {', '.join(names)}" if names else ""))


def _plugin_of(users: list[dict[str, Any]], name: str | None) -> str | None:
    """The command of a user's exec plugin. The package takes one that failed for a user without credentials."""
    user: dict[str, Any] = next((entry.get("user") or {} for entry in users if entry.get("name") == name), {})
    plugin = user.get("exec") or {}
    return plugin.get("command")


def _words(error: Exception) -> str:
    if isinstance(error, _Unusable):
        return str(error)
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    # The package names a place in the file by all that stands there, tokens too: nothing from the first brace on.
    words = (str(error).strip().splitlines() or [""])[0].partition("{")[0].rstrip("/ ")
    return f"{type(error).__name__}: {words[:300]}"


def _login_of(found: Any, namespace: str) -> Login:
    """What of the package's configuration makes a request."""
    authorization = found.get_api_key_with_prefix("BearerToken") or found.get_api_key_with_prefix("authorization")
    if authorization and " " not in authorization:
        authorization = f"Bearer {authorization}"
    if not authorization and found.username and found.password:
        pair = f"{found.username}:{found.password}".encode()
        authorization = f"Basic {base64.b64encode(pair).decode('ascii')}"
    server = found.host.rstrip("/")
    tls = None
    if server.startswith("https:"):
        name = getattr(found, "tls_server_name", None)
        tls = Tls(found.ssl_ca_cert, found.cert_file, found.key_file, bool(found.verify_ssl), name)
    return Login(server, namespace, authorization or None, tls, getattr(found, "proxy", None))


class InClusterCredentials:
    """The service account of the pod that this process runs in."""

    def __init__(self, server: str, directory: Path = SERVICE_ACCOUNT) -> None:
        self.server = server
        self._directory = directory

    async def login(self) -> Login:
        try:
            token = (self._directory / "token").read_text("ascii").strip()
            namespace_file = self._directory / "namespace"
            namespace = namespace_file.read_text("ascii").strip() if namespace_file.exists() else "default"
        except (OSError, UnicodeDecodeError) as error:
            message = f"the service account's token can't be read: {error}"
            raise Unauthorized(message, reason="LoginFailed") from None
        tls = Tls(ca=str(self._directory / "ca.crt")) if self.server.startswith("https:") else None
        return Login(self.server, namespace, f"Bearer {token}", tls, fresh_for=TOKEN_FRESH_FOR)


def find_credentials(kubeconfig: str | None, context: str | None, environ: Mapping[str, str]) -> Credentials:
    """The credentials that kubectl would use: a kubeconfig that is named, else the pod's, else `~/.kube/config`.

    `environ` is the process's environment: KUBECONFIG counts where `kubeconfig` is None.
    """
    path = kubeconfig or environ.get("KUBECONFIG") or None
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if path is None and context is None and host and (SERVICE_ACCOUNT / "token").exists():
        shown = f"[{host}]" if ":" in host else host
        return InClusterCredentials(f"https://{shown}:{port}")
    return KubeconfigCredentials(path, context)
