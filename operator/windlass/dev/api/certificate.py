"""A certificate for loopback, made at start: clients of Kubernetes send their token over TLS only.

It is its own authority (P-256, ECDSA with SHA-256) and stands in the kubeconfig. Made here, since Python brings no tool
for it and the machine may have none. The curve's arithmetic takes no care of timing: the key guards loopback only.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G: Final = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_LIFETIME: Final = timedelta(days=3650)

Point = tuple[int, int] | None


def _add(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2:
        if (y1 + y2) % _P == 0:
            return None
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, _P) % _P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, _P) % _P
    x = (slope * slope - x1 - x2) % _P
    return x, (slope * (x1 - x) - y1) % _P


def _times(scalar: int, point: Point) -> tuple[int, int]:
    total: Point = None
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    assert total is not None  # no multiple below the group's order is its zero
    return total


def _signature(key: int, message: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(message).digest())
    while True:
        nonce = secrets.randbelow(_N - 1) + 1
        r = _times(nonce, _G)[0] % _N
        s = pow(nonce, -1, _N) * (digest + r * key) % _N
        if r and s:
            return _sequence(_integer(r), _integer(s))


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size) + content


def _sequence(*parts: bytes) -> bytes:
    return _der(0x30, *parts)


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def _bits(content: bytes, unused: int = 0) -> bytes:
    return _der(0x03, bytes([unused]), content)


def _identifier(text: str) -> bytes:
    first, second, *rest = (int(part) for part in text.split("."))
    content = bytes([first * 40 + second])
    for number in rest:
        septets = [number & 127]
        while number := number >> 7:
            septets.append(number & 127 | 128)
        content += bytes(reversed(septets))
    return _der(0x06, content)


def _name(common_name: str) -> bytes:
    return _sequence(_der(0x31, _sequence(_identifier("2.5.4.3"), _der(0x0C, common_name.encode()))))


def _time(moment: datetime) -> bytes:
    return _der(0x18, moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


def _extension(identifier: str, value: bytes, *, critical: bool = False) -> bytes:
    flag = [_der(0x01, b"\xff")] if critical else []
    return _sequence(_identifier(identifier), *flag, _der(0x04, value))


_ALGORITHM: Final = _sequence(_identifier("1.2.840.10045.4.3.2"))
_CURVE: Final = _identifier("1.2.840.10045.3.1.7")


def _pem(label: str, content: bytes) -> str:
    text = base64.b64encode(content).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def make_certificate(now: datetime) -> tuple[str, str]:
    """A new key and its certificate for 127.0.0.1 and localhost, both as PEM."""
    key = secrets.randbelow(_N - 1) + 1
    x, y = _times(key, _G)
    public = b"\x04" + x.to_bytes(32) + y.to_bytes(32)
    subject = _name("windlass-dev")
    extensions = _sequence(
        _extension("2.5.29.19", _sequence(_der(0x01, b"\xff")), critical=True),
        _extension("2.5.29.15", _bits(b"\x84", 2), critical=True),
        _extension("2.5.29.37", _sequence(_identifier("1.3.6.1.5.5.7.3.1"))),
        _extension("2.5.29.14", _der(0x04, hashlib.sha256(public).digest()[:20])),
        _extension("2.5.29.17", _sequence(_der(0x82, b"localhost"), _der(0x87, bytes([127, 0, 0, 1])))),
    )
    body = _sequence(
        _der(0xA0, _integer(2)),
        _integer(secrets.randbits(120) | 1),
        _ALGORITHM,
        subject,
        _sequence(_time(now - timedelta(days=1)), _time(now + _LIFETIME)),
        subject,
        _sequence(_sequence(_identifier("1.2.840.10045.2.1"), _CURVE), _bits(public)),
        _der(0xA3, extensions),
    )
    certificate = _sequence(body, _ALGORITHM, _bits(_signature(key, body)))
    secret = _sequence(_integer(1), _der(0x04, key.to_bytes(32)), _der(0xA0, _CURVE), _der(0xA1, _bits(public)))
    return _pem("EC PRIVATE KEY", secret), _pem("CERTIFICATE", certificate)


def server_context(state_dir: Path | None, now: datetime) -> tuple[ssl.SSLContext, str]:
    """TLS for the server, with the certificate kept in `state_dir` if there is one; and the certificate as PEM."""
    kept = state_dir / "server.pem" if state_dir is not None else None
    text = kept.read_text() if kept is not None and kept.exists() else "".join(make_certificate(now))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "server.pem"
        file.touch(0o600)
        file.write_text(text)
        context.load_cert_chain(file)
    if kept is not None and not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch(0o600)
        kept.write_text(text)
    return context, text[text.index("-----BEGIN CERTIFICATE") :]
