"""The controller's image for the real node: the layer that the Dockerfile makes, on the kit's base."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from support.images import make

ROOT = Path(__file__).parents[2]
IMAGE = f"windlass:{yaml.safe_load((ROOT / 'helm' / 'windlass' / 'Chart.yaml').read_text())['appVersion']}"
"""The name that the chart gives it."""
LAYER = ROOT / "image" / "layer.py"
BASE_PYTHON = "/usr/bin/python3"
"""Of the kit's base image. Its minor version must be that of the tests' Python, as the layer's byte code is."""
PATH = "/opt/windlass/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def make_controller(directory: Path) -> int:
    """Make and load it, with the settings of the Dockerfile's last stage; the size of our layer in bytes."""
    subprocess.run([sys.executable, str(LAYER), "--python", BASE_PYTHON, str(directory)], check=True)
    settings = ["--entrypoint", '["windlass"]', "--cmd", '["controller"]', "--user", "65532:65532"]
    for name, value in (("PATH", PATH), ("HOME", "/tmp"), ("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONUNBUFFERED", "1")):
        settings += ["--env", f"{name}={value}"]
    make(IMAGE, directory, *settings)
    return sum(path.lstat().st_size for path in directory.rglob("*") if path.is_file())
