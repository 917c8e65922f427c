"""The images of the tests that no registry has: made and loaded into the real node by the command in KUBE_KIT."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from support.mariadb import INSTALL, SERVER, program
from windlass.build.request import Installation
from windlass.dev import git_sync

GIT_SYNC = Installation().git_sync_image
SALES_REPORT = "windlass-sales-report:1"
MARIADB = "windlass-test-mariadb:1"
LIBRARIES = ("sqlalchemy", "pymysql", "typing_extensions.py", "aiosmtpd", "attr", "public")
"""What the tasks of the sales report import, and the mail server of the tests."""


def make(tag: str, directory: Path, *options: str) -> None:
    """Make an image of the kit's base image and a directory laid over it, and load it."""
    command = [os.environ["KUBE_KIT"], "image", tag, str(directory), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def make_git_sync(directory: Path) -> None:
    """The stand-in for git-sync, under the name of the real image, and with its user."""
    shutil.copyfile(git_sync.__file__, directory / "git-sync")
    (directory / "git-sync").chmod(0o755)
    make(GIT_SYNC, directory, "--entrypoint", '["/git-sync"]', "--user", "65533:65533", "--workdir", "/tmp")


def make_sales_report(directory: Path) -> None:
    """The image of the sales report's tasks: what its Dockerfile would install, out of this environment."""
    installed = directory / "opt" / "site-packages"
    installed.mkdir(parents=True)
    here = Path(sys.prefix) / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    for name in LIBRARIES:
        if (here / name).is_dir():
            # Compiled for this Python; both libraries do without.
            shutil.copytree(here / name, installed / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        else:
            shutil.copyfile(here / name, installed / name)
    make(SALES_REPORT, directory, "--env", "PYTHONPATH=/opt/site-packages")


def make_mariadb(directory: Path) -> None:
    """A MariaDB server out of this machine's: with its libraries, and a data directory that is ready for use."""
    there = directory / "opt" / "mariadb"
    there.mkdir(parents=True)
    server = str(program(SERVER))
    shutil.copy(server, there / SERVER)
    listed = subprocess.run(["ldd", server], check=True, capture_output=True, text=True).stdout
    for library in [word for word in listed.split() if word.startswith("/")]:
        shutil.copy(library, there)
    shutil.copytree("/usr/share/mysql/english", there / "share" / "english")
    shutil.copytree("/usr/share/mysql/charsets", there / "share" / "charsets")
    install = [str(program(INSTALL)), "--no-defaults", f"--datadir={there / 'data'}", "--skip-test-db"]
    install += ["--auth-root-authentication-method=normal", "--innodb-log-file-size=8M"]
    if os.geteuid() == 0:
        install.append("--user=root")
    subprocess.run(install, check=True, capture_output=True)
    for path in [there, *there.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else path.stat().st_mode | 0o444)
    make(MARIADB, directory)
