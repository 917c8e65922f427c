"""A MariaDB server of the tests' own: its data in a directory, its port on loopback, its user without root's rights."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pwd import getpwnam

SERVER = "mariadbd"
INSTALL = "mariadb-install-db"
USER, PASSWORD = "windlass", "p@ss/word"
"""A password with characters that a URL must quote."""
QUOTED = "p%40ss%2Fword"
STARTS_WITHIN = 60.0


@dataclass(frozen=True)
class MariaDB:
    """A server that runs, with an empty database for each of the names it was started with."""

    host: str
    port: int

    def url(self, database: str) -> str:
        """The database as a URL for SQLAlchemy."""
        return f"mysql+pymysql://{USER}:{QUOTED}@{self.host}:{self.port}/{database}?charset=utf8mb4"


def program(name: str) -> str | None:
    """Where a program of MariaDB is; Debian's servers are not in a user's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin")


def missing() -> str | None:
    """What this machine lacks to run a server: a reason to skip, or None."""
    lacking = [name for name in (SERVER, INSTALL) if program(name) is None]
    return f"{', '.join(lacking)} not found: apt install mariadb-server" if lacking else None


@contextmanager
def mariadb(directory: Path, *databases: str, host: str = "127.0.0.1") -> Iterator[MariaDB]:
    """Run a server with these databases until the block ends. `directory` is short: a socket's path has a limit."""
    data, log = directory / "data", directory / "log"
    as_user: list[str] = []
    if os.geteuid() == 0:
        # The server refuses to be root; its own user must be able to reach the directory.
        as_user = ["--user=mysql"]
        user = getpwnam("mysql")
        os.chown(directory, user.pw_uid, user.pw_gid)
    install = [str(program(INSTALL)), "--no-defaults", f"--datadir={data}", *as_user, "--skip-test-db"]
    subprocess.run([*install, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
    first = directory / "first.sql"
    first.write_text(grants(databases), encoding="utf-8")
    first.chmod(0o644)
    port = _free_port(host)
    command = [
        *(str(program(SERVER)), "--no-defaults", f"--datadir={data}", *as_user, f"--init-file={first}"),
        *(f"--bind-address={host}", f"--port={port}", f"--socket={directory / 'socket'}"),
        *(f"--pid-file={directory / 'pid'}", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        _await_start(process, host, port, log)
        yield MariaDB(host, port)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def grants(databases: tuple[str, ...]) -> str:
    """SQL that makes the user and the databases."""
    lines = [f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';"]
    for name in databases:
        lines += [f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4;", f"GRANT ALL ON `{name}`.* TO '{USER}'@'%';"]
    return "\n".join(lines) + "\n"


def _free_port(host: str) -> int:
    with socket.socket() as listener:
        listener.bind((host, 0))
        port: int = listener.getsockname()[1]
        return port


def _await_start(process: subprocess.Popen[bytes], host: str, port: int, log: Path) -> None:
    """Wait until the server answers. It opens its port after it has carried out the init file."""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{SERVER} did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
