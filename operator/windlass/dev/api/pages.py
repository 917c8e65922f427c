"""Lists, a page at a time: all pages of one list show the moment of its first."""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from collections.abc import Sequence

import orjson

from windlass.dev.api.answers import bad_request, gone
from windlass.dev.api.hub import Body, Stored

_KEPT = 8


class Pages:
    """The lists whose next pages may still be asked for."""

    def __init__(self) -> None:
        self._lists: OrderedDict[int, tuple[int, Sequence[Stored]]] = OrderedDict()
        self._next = 0

    def first(self, found: Sequence[Stored], version: int, limit: int | None) -> tuple[Sequence[Stored], Body]:
        """The first page of what was found, and the metadata of its list."""
        if not limit or limit >= len(found):
            return found, {"resourceVersion": str(version)}
        self._next += 1
        self._lists[self._next] = (version, found)
        if len(self._lists) > _KEPT:
            self._lists.popitem(last=False)
        return self._page(self._next, 0, limit)

    def next(self, token: str, limit: int | None) -> tuple[Sequence[Stored], Body]:
        """The page that a token stands for. Raises Gone when its list is forgotten."""
        try:
            number, start = orjson.loads(base64.urlsafe_b64decode(token))
        except (binascii.Error, ValueError, TypeError) as error:
            raise bad_request(f"continue key is not valid: {error}") from error
        if number not in self._lists:
            raise gone(
                "The provided continue parameter is too old to display a consistent list result. You can start a new "
                "list without the continue parameter."
            )
        return self._page(number, start, limit)

    def forget(self) -> None:
        """Every continue token becomes too old."""
        self._lists.clear()

    def _page(self, number: int, start: int, limit: int | None) -> tuple[Sequence[Stored], Body]:
        version, found = self._lists[number]
        end = len(found) if not limit else min(start + limit, len(found))
        meta: Body = {"resourceVersion": str(version)}
        if end < len(found):
            meta["continue"] = base64.urlsafe_b64encode(orjson.dumps([number, end])).decode()
            meta["remainingItemCount"] = len(found) - end
        return found[start:end], meta
