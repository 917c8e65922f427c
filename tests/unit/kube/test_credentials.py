"""Ways into a cluster, and that what is secret in them is not put out."""

from __future__ import annotations

import base64
import json
import os
import shlex
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from windlass.errors import Unauthorized
from windlass.kube import credentials as credentials_module
from windlass.kube.credentials import InClusterCredentials, KubeconfigCredentials, Login, Tls, find_credentials

PLUGIN = """\
import json, os, sys
print(json.dumps({
    "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
    "status": {"token": "from-" + os.environ["WHO"]},
}))
"""


def kubeconfig(path: Path, user: dict[str, Any], **cluster: Any) -> str:
    """Writes a kubeconfig with two contexts, `main` (current) and `other`; its path."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "main",
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:8001"} | cluster}],
        "users": [{"name": "u", "user": user}, {"name": "nobody", "user": {}}],
        "contexts": [
            {"name": "main", "context": {"cluster": "c", "user": "u", "namespace": "data"}},
            {"name": "other", "context": {"cluster": "c", "user": "nobody"}},
        ],
    }
    path.write_text(yaml.safe_dump(config))
    return str(path)


def exec_plugin(tmp_path: Path, source: str = PLUGIN) -> dict[str, Any]:
    (tmp_path / "plugin.py").write_text(source)
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(tmp_path / "plugin.py")],
            "env": [{"name": "WHO", "value": "the-plugin"}],
            "interactiveMode": "Never",
        }
    }


USERS = {
    "a token": ({"token": "t0ken"}, "Bearer t0ken"),
    "basic auth": ({"username": "me", "password": "pw"}, "Basic " + base64.b64encode(b"me:pw").decode()),
    "nothing": ({}, None),
}


@pytest.mark.parametrize(("user", "authorization"), USERS.values(), ids=USERS.keys())
async def test_kubeconfig(tmp_path: Path, user: dict, authorization: str | None) -> None:
    found = await KubeconfigCredentials(kubeconfig(tmp_path / "config", user)).login()
    assert found == Login("http://127.0.0.1:8001", "data", authorization)


async def test_another_context(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", {"token": "t0ken"})
    assert await KubeconfigCredentials(path, "other").login() == Login("http://127.0.0.1:8001", "default")


async def test_a_token_file(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("one")
    credentials = KubeconfigCredentials(kubeconfig(tmp_path / "config", {"tokenFile": str(token)}))
    assert (await credentials.login()).authorization == "Bearer one"
    token.write_text("two")
    assert (await credentials.login()).authorization == "Bearer two"


async def test_an_exec_plugin(tmp_path: Path) -> None:
    found = await KubeconfigCredentials(kubeconfig(tmp_path / "config", exec_plugin(tmp_path))).login()
    assert found.authorization == "Bearer from-the-plugin"


FAILING: dict[str, str] = {
    "a plugin that fails": "import sys; sys.exit('no session: log in again')",
    "a plugin that says nothing": "",
    "a plugin that prints a token, and no JSON": "print('top-secret-token')",
}


@pytest.mark.parametrize("source", FAILING.values(), ids=FAILING.keys())
async def test_a_plugin_that_gives_nothing(tmp_path: Path, source: str) -> None:
    credentials = KubeconfigCredentials(kubeconfig(tmp_path / "config", exec_plugin(tmp_path, source)))
    with pytest.raises(Unauthorized, match="no way into the cluster by the kubeconfig") as caught:
        await credentials.login()
    assert "top-secret-token" not in str(caught.value)


BAD_FILES = {
    "no file": None,
    "an empty file": "",
    "no kubeconfig": "hello: world",
    "no YAML": "{{{",
    "a list": "[1, 2]",
}


@pytest.mark.parametrize("text", BAD_FILES.values(), ids=BAD_FILES.keys())
async def test_bad_files(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    with pytest.raises(Unauthorized, match=str(path)):
        await KubeconfigCredentials(str(path)).login()


UNUSABLE = {
    "nothing there": (None, None, "there is no such file"),
    "a directory": ("", None, "is a directory"),
    "another file": ("root:x:0:0\n", None, "it is no kubeconfig"),
    "no YAML": ("a: [\n", None, "it is no kubeconfig"),
    "no context": ("contexts: [{name: a, context: {}}]\n", None, "it names no current context; it has a"),
    "another context": (
        "contexts: [{name: a, context: {}}]\ncurrent-context: a\n",
        "b",
        'it has no context "b"; it has a',
    ),
}


@pytest.mark.parametrize("case", UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_a_kubeconfig_of_no_use_is_said_plainly(case: tuple[str | None, str | None, str], tmp_path: Path) -> None:
    text, context, words = case
    file = tmp_path / "config"
    if text == "":
        file.mkdir()
    elif text:
        file.write_text(text)
    with pytest.raises(Unauthorized) as caught:
        await KubeconfigCredentials(str(file), context).login()
    assert caught.value.message == f"no way into the cluster by the kubeconfig {file}: {words}"


async def test_a_broken_file_shows_no_token(tmp_path: Path) -> None:
    path = tmp_path / "config"
    kubeconfig(path, {"token": "s3cret", "exec": "nonsense", "client-certificate-data": "***s3cret***"})
    config = yaml.safe_load(path.read_text())
    del config["users"][0]["name"]
    path.write_text(yaml.safe_dump(config))
    with pytest.raises(Unauthorized) as caught:
        await KubeconfigCredentials(str(path)).login()
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_an_unknown_context(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", {})
    with pytest.raises(Unauthorized, match="nowhere"):
        await KubeconfigCredentials(path, "nowhere").login()


def make_certificate(directory: Path) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not there")
    key, certificate = directory / "key.pem", directory / "cert.pem"
    subprocess.run(
        shlex.split(
            f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=test -keyout {key} -out {certificate}"
        ),
        check=True,
        capture_output=True,
    )
    return certificate, key


async def test_certificates(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    encoded = {path: base64.b64encode(path.read_bytes()).decode() for path in (certificate, key)}
    path = kubeconfig(
        tmp_path / "config",
        {"client-certificate-data": encoded[certificate], "client-key-data": encoded[key]},
        **{
            "server": "https://example.test:6443/",
            "certificate-authority-data": encoded[certificate],
            "tls-server-name": "api.internal",
        },
    )
    found = await KubeconfigCredentials(path).login()
    assert found.tls is not None
    assert (found.server, found.authorization) == ("https://example.test:6443", None)
    assert (found.tls.verify, found.tls.server_name) == (True, "api.internal")
    context = found.tls.context()
    assert (context.verify_mode, len(context.get_ca_certs())) == (ssl.CERT_REQUIRED, 1)
    again = await KubeconfigCredentials(path).login()
    assert again.tls == found.tls, "each login would make new connections"


async def test_unverified_tls(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", {}, **{"server": "https://a.test", "insecure-skip-tls-verify": True})
    found = await KubeconfigCredentials(path).login()
    assert found.tls is not None
    assert found.tls.context().verify_mode == ssl.CERT_NONE


def test_changed_files_are_noticed(tmp_path: Path) -> None:
    certificate, _ = make_certificate(tmp_path)
    tls = Tls(ca=str(certificate))
    before = tls.stamp()
    assert tls.stamp() == before
    os.utime(certificate, ns=(1, 1))
    assert tls.stamp() != before


def service_account(directory: Path, token: str = "t1") -> None:
    for name, text in {"token": token, "namespace": "windlass\n", "ca.crt": ""}.items():
        (directory / name).write_text(text)


async def test_in_cluster_the_token_is_read_again(tmp_path: Path) -> None:
    service_account(tmp_path)
    credentials = InClusterCredentials("https://10.0.0.1:443", tmp_path)
    tls = Tls(ca=str(tmp_path / "ca.crt"))
    assert await credentials.login() == Login("https://10.0.0.1:443", "windlass", "Bearer t1", tls, fresh_for=60.0)
    (tmp_path / "token").write_text("t2\n")
    assert (await credentials.login()).authorization == "Bearer t2"


async def test_in_cluster_without_a_token(tmp_path: Path) -> None:
    with pytest.raises(Unauthorized, match="can't be read"):
        await InClusterCredentials("https://10.0.0.1:443", tmp_path).login()


POD_ENV = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
PLACES: dict[str, tuple[tuple[str | None, str | None, dict[str, str]], str]] = {
    "a file that is named": (("/a", None, POD_ENV), "KubeconfigCredentials('/a', None)"),
    "a named file, before KUBECONFIG": (
        ("/a", None, {"KUBECONFIG": "/b"}),
        "KubeconfigCredentials('/a', None)",
    ),
    "KUBECONFIG": ((None, "x", {"KUBECONFIG": "/b"}), "KubeconfigCredentials('/b', 'x')"),
    "KUBECONFIG, in a pod": ((None, None, POD_ENV | {"KUBECONFIG": "/b"}), "KubeconfigCredentials('/b', None)"),
    "a pod": ((None, None, POD_ENV), "https://10.0.0.1:443"),
    "a pod of IPv6": ((None, None, POD_ENV | {"KUBERNETES_SERVICE_HOST": "fd00::1"}), "https://[fd00::1]:443"),
    "a context, in a pod": ((None, "x", POD_ENV), "KubeconfigCredentials(None, 'x')"),
    "at home": ((None, None, {}), "KubeconfigCredentials(None, None)"),
    "an empty KUBECONFIG": ((None, None, {"KUBECONFIG": ""}), "KubeconfigCredentials(None, None)"),
}


@pytest.mark.parametrize(("given", "found"), PLACES.values(), ids=PLACES.keys())
def test_find(given: tuple, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service_account(tmp_path)
    monkeypatch.setattr(credentials_module, "SERVICE_ACCOUNT", tmp_path)
    credentials = find_credentials(*given)
    assert (credentials.server if isinstance(credentials, InClusterCredentials) else repr(credentials)) == found


def test_secrets_are_not_shown() -> None:
    shown = repr(Login("https://a.test", authorization="Bearer s3cret", proxy="http://me:s3cret@proxy"))
    assert "s3cret" not in shown
    assert "a.test" in shown


async def test_kubernetes_is_not_loaded_in_a_cluster(tmp_path: Path) -> None:
    service_account(tmp_path)
    script = f"""
import asyncio, json, pathlib, sys
from windlass.kube.client import KubeClient
from windlass.kube.credentials import InClusterCredentials
asyncio.run(InClusterCredentials("https://a", pathlib.Path({str(tmp_path)!r})).login())
print(json.dumps("kubernetes" in sys.modules))
"""
    answer = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)  # noqa: ASYNC221
    assert json.loads(answer.stdout) is False
