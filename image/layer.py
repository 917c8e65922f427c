"""Lay out what the image adds to its base: a virtual environment in /opt/windlass, with Windlass and its dependencies.

    python3 image/layer.py --python /usr/local/bin/python3 ROOT

ROOT/opt/windlass is what the last stage of the Dockerfile copies to /opt/windlass. The interpreter that runs this is of
the same minor version as the one that `--python` names, which is the image's: byte code and extension modules are its.
Needs pip, and nothing beside the standard library.
"""

from __future__ import annotations

import argparse
import compileall
import py_compile
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
PROGRAMS = ("windlass", "kubectl-windlass")
HOME = "/opt/windlass"
UNUSED = ("kubernetes/aio", "kubernetes/docs", "kubernetes/e2e_test", "bin")
"""Below site-packages: a second copy of all the client's models, and scripts whose first line names this machine."""


def lay_out(root: Path, python: str) -> None:
    """Make root/opt/windlass, for the interpreter at this path of the image."""
    home = root / HOME.lstrip("/")
    packages = home / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    packages.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as wheels:
        pip("wheel", "--no-deps", "--wheel-dir", wheels, str(SOURCE))
        wheel = next(Path(wheels).glob("windlass-*.whl"))
        constraints = str(SOURCE / "constraints.txt")
        pip("install", "--no-compile", "--target", str(packages), "--constraint", constraints, str(wheel))
    for unused in UNUSED:
        shutil.rmtree(packages / unused, ignore_errors=True)
    # The file system is read only where it runs: what is not compiled now is compiled at each start.
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    names = {"stripdir": str(root), "prependdir": "/"}
    compileall.compile_dir(packages, quiet=2, workers=0, invalidation_mode=unchecked, **names)
    write_programs(home, python)


def write_programs(home: Path, python: str) -> None:
    """Make what a virtual environment has beside its packages."""
    programs = home / "bin"
    programs.mkdir()
    (home / "pyvenv.cfg").write_text(f"home = {Path(python).parent}\ninclude-system-site-packages = false\n")
    (programs / "python3").symlink_to(python)
    for name in PROGRAMS:
        script = programs / name
        script.write_text(
            f"#!{HOME}/bin/python3\nimport sys\n\nfrom windlass.cli.main import main\n\nsys.exit(main())\n"
        )
        script.chmod(0o755)


def pip(command: str, *arguments: str) -> None:
    flags = ["--quiet", "--disable-pip-version-check"]
    flags += ["--root-user-action", "ignore"] if command == "install" else []
    subprocess.run([sys.executable, "-m", "pip", command, *flags, *arguments], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--python", default="/usr/local/bin/python3", help="the image's interpreter (%(default)s)")
    options = parser.parse_args()
    lay_out(options.root, options.python)


if __name__ == "__main__":
    main()
