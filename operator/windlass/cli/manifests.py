"""Files with manifests, as commands take them: their failures are told in a line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from windlass import documents
from windlass.cli.failures import USAGE, Failure
from windlass.documents import Document, NoManifest

Body = dict[str, Any]

STANDARD_INPUT = "-"


class Unreadable(Failure):
    """A file that can't be read, or is no YAML."""

    def __init__(self, message: str) -> None:
        super().__init__(message, USAGE)


def read_documents(file: str) -> list[Document]:
    """The documents of a file, or of the standard input; empty ones left out. Unreadable says file and line."""
    try:
        text = sys.stdin.read() if file == STANDARD_INPUT else Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{file}: is no text in UTF-8: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise Unreadable(f"{file}: {(error.strerror or str(error)).lower()}") from None
    try:
        return documents.documents("<stdin>" if file == STANDARD_INPUT else file, text)
    except NoManifest as error:
        raise Unreadable(str(error)) from None


def objects(found: Sequence[Document]) -> list[Body]:
    """The manifests of documents, those of a List one by one. Unreadable when one is no object with a kind."""
    try:
        return documents.objects(found)
    except NoManifest as error:
        raise Unreadable(str(error)) from None
