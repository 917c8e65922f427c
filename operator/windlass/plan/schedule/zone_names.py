"""Time zones by their names, and what to write instead of a name that is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

_ABBREVIATIONS: Final[Mapping[str, str]] = {
    "KST": "Asia/Seoul", "JST": "Asia/Tokyo", "IST": "Asia/Kolkata", "SGT": "Asia/Singapore",
    "HKT": "Asia/Hong_Kong", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "PT": "America/Los_Angeles",
    "EDT": "America/New_York", "ET": "America/New_York", "CST": "America/Chicago", "CDT": "America/Chicago",
    "CT": "America/Chicago", "MDT": "America/Denver", "MT": "America/Denver", "BRT": "America/Sao_Paulo",
    "BST": "Europe/London", "CEST": "Europe/Berlin", "EEST": "Europe/Helsinki", "WEST": "Europe/Lisbon",
    "MSK": "Europe/Moscow", "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "NZST": "Pacific/Auckland",
    "Z": "UTC",
}  # fmt: skip
UNCHANGING: Final[Mapping[str, str]] = {"EST": "America/New_York", "MST": "America/Denver"}
"""Names of the database that most people take for those of a place whose clocks are changed."""
_OFFSET: Final = re.compile(r"(?:UTC|GMT)?\s*(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?", re.IGNORECASE)
_OTHER: Final = ("posix/", "right/", "posixrules", "localtime", "Factory")
"""What lies beside the zones in a system's database and is no zone that everybody has."""


class UnknownZone(ValueError):
    """There is no time zone of that name. `fix` says which are near."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(f"{message}; {fix}")
        self.message = message
        self.fix = fix


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. UnknownZone when there is none."""
    if not name.startswith(_OTHER):
        try:
            return ZoneInfo(name)
        except (ValueError, OSError, KeyError):  # no name, a directory of the database, or nothing
            pass
    raise UnknownZone(f'there is no time zone "{name[:64]}"', _advice(name))


def _advice(name: str) -> str:
    if name.upper() in _ABBREVIATIONS:
        return f"write a name such as {_ABBREVIATIONS[name.upper()]}"
    if found := _OFFSET.fullmatch(name):
        hours, reverse = int(found["hours"]), "-" if found["sign"] == "+" else "+"
        if hours <= 12 and not int(found["minutes"] or 0):
            exact = "UTC" if not hours else f"Etc/GMT{reverse}{hours} (its sign is the other way round)"
            return f"write the name of a place such as Asia/Seoul, or {exact}"
        return "write the name of a place such as Asia/Seoul"
    near = _near(name)
    return f"did you mean {' or '.join(near)}?" if near else "write a name of the IANA database such as Asia/Seoul"


def _near(name: str) -> list[str]:
    """At most three names that are near: by the whole name, else by the city."""
    known = {zone.lower(): zone for zone in sorted(available_timezones()) if not zone.startswith(_OTHER)}
    word = name.strip().lower().replace(" ", "_")
    if word in known:
        return [known[word]]
    cities: dict[str, list[str]] = {}
    for lower, zone in known.items():
        if "/" in lower:
            cities.setdefault(lower.rpartition("/")[2], []).append(zone)
    if found := cities.get(word.rpartition("/")[2]):
        return found[:3]
    close = [known[lower] for lower in get_close_matches(word, known, n=3, cutoff=0.75)]
    for city in get_close_matches(word.rpartition("/")[2], cities, n=3, cutoff=0.8):
        close += [zone for zone in cities[city] if zone not in close]
    return close[:3]
