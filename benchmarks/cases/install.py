"""What an installation of the project brings along: how long it takes and how large it is."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

from figures import Figure

from cluster import ROOT, Setting


async def measure(setting: Setting) -> list[Figure]:
    place = setting.work / "venv"
    began = time.monotonic()
    await asyncio.to_thread(_install, place)
    took = time.monotonic() - began
    size = await asyncio.to_thread(_megabytes, place)
    packages = next(place.glob("lib/python*/site-packages"))
    largest = sorted(((_megabytes(entry), entry.name) for entry in packages.iterdir() if entry.is_dir()), reverse=True)
    details = {"largest": ", ".join(f"{name} {megabytes:.0f} MB" for megabytes, name in largest[:6])}
    return [
        Figure("installation, a virtual environment as a whole", size, "MB", 150, 100, details=details),
        Figure("installation, from nothing, with pip's cache as it is", took, "s", None, 20),
    ]


def _install(place: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    command = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "-c", "constraints.txt", "."], cwd=ROOT, check=True)


def _megabytes(place: Path) -> float:
    """What the files take on the disk."""
    told = subprocess.run(["du", "-s", "--block-size=1000", str(place)], check=True, stdout=subprocess.PIPE, text=True)
    return int(told.stdout.split()[0]) / 1000
