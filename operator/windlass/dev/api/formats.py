"""The formats of strings that the API server checks in custom resources; it passes over all others."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final
from urllib.parse import urlsplit


def _date_time(text: str) -> bool:
    if re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text) is None:
        return False
    return _parses(lambda: datetime.fromisoformat(re.sub(r"\.\d+", "", text.upper())))


def _parses(call: Callable[[], object]) -> bool:
    try:
        call()
    except (ValueError, binascii.Error):
        return False
    return True


FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "date-time": _date_time,
    "date": lambda text: (
        re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None and _parses(lambda: date.fromisoformat(text))
    ),
    "byte": lambda text: _parses(lambda: base64.b64decode(text, validate=True)),
    "duration": lambda text: re.fullmatch(r"-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+|0", text) is not None,
    "uuid": lambda text: re.fullmatch(r"(?i)[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", text) is not None,
    "email": lambda text: re.fullmatch(r"[^@\s]+@[^@\s]+", text) is not None,
    "hostname": lambda text: re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", text) is not None,
    "ipv4": lambda text: _parses(lambda: ipaddress.IPv4Address(text)),
    "ipv6": lambda text: _parses(lambda: ipaddress.IPv6Address(text)),
    "cidr": lambda text: "/" in text and _parses(lambda: ipaddress.ip_network(text, strict=False)),
    "uri": lambda text: _parses(lambda: urlsplit(text)) and bool(urlsplit(text).scheme),
}
