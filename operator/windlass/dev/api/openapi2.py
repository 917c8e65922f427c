"""The one thing that kubectl asks the OpenAPI document of version 2 for: whether a List is validated by the server.

It takes it in protobuf only (gnostic's `openapi.v2.Document`), and looks at the patch of Namespaces for the answer.
"""

from __future__ import annotations

from typing import Final

CONTENT_TYPE: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

_KIND: Final = b"group: \nversion: v1\nkind: Namespace\n"


def _field(number: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    head = [number << 3 | 2]
    length = len(content)
    while length > 127:
        head.append(length & 127 | 128)
        length >>= 7
    return bytes([*head, length]) + content


def document() -> bytes:
    """A document with the patch of Namespaces, its parameter fieldValidation, and nothing else."""
    query = _field(2, b"query") + _field(4, b"fieldValidation")
    parameter = _field(8, _field(1, _field(2, _field(3, query))))
    extension = _field(13, _field(1, b"x-kubernetes-group-version-kind"), _field(2, _field(2, _KIND)))
    patch = _field(8, parameter, extension)
    path = _field(2, _field(1, b"/api/v1/namespaces/{name}"), _field(2, patch))
    return _field(1, b"2.0") + _field(8, path)
