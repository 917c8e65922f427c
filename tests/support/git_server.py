"""Git repositories in a pod of the tests, which other pods clone by HTTP."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.servers import Server, start

USER, PASSWORD = "reader", "w0rd with: /@signs"
PROGRAM = Path(__file__).parents[1] / "cluster" / "servers" / "git_http.py"
_COMMIT = """
repository=/repositories/$1.git work=/work/$1
if [ ! -d "$repository" ]; then
  git init -q --bare -b main "$repository"
  mkdir -p "$work" && git -C "$work" init -q -b main
fi
cd "$work"
tar -xm
git add -A
git diff --cached --quiet || git -c user.name=tests -c user.email=tests@localhost commit -q -m "more"
git push -q "$repository" main
git rev-parse HEAD
"""
_SUBMODULE = """
cd "/work/$1"
git -c protocol.file.allow=always submodule --quiet add "../$2.git" "$2" 2>/dev/null ||
  { git clone -q "/repositories/$2.git" "$2" && git -c advice.addEmbeddedRepo=false add "$2"; }
git config -f .gitmodules "submodule.$2.path" "$2"
git config -f .gitmodules "submodule.$2.url" "../$2.git"
"""


@dataclass(frozen=True)
class GitServer:
    """The server; repositories come to be with their first commit. Those named `private/…` want a login."""

    server: Server

    @classmethod
    def start(cls, namespace: str) -> GitServer:
        server = Server(namespace, "git", 8080)
        start(
            server,
            "python:3.12-slim",
            ["python3", "-B", "/files/git_http.py"],
            files={"git_http.py": PROGRAM.read_text(encoding="utf-8")},
            directories=("/repositories", "/work"),
            env={"LOGIN": f"{USER}:{PASSWORD}", "HOME": "/tmp"},
        )
        return cls(server)

    def url(self, repository: str) -> str:
        return f"http://{self.server.address}/{repository}.git"

    def commit(self, repository: str, files: Mapping[str, str | bytes], submodule: str | None = None) -> str:
        """Add the files to the branch `main`, and a repository as a submodule.

        Returns the branch's commit, which is the same as before when all of them stood there already."""
        if submodule is not None:
            self.server.execute("bash", "-ec", _SUBMODULE, "bash", repository, submodule)
        return self.server.execute("bash", "-ec", _COMMIT, "bash", repository, stdin=_archive(files)).strip()

    def commit_directory(self, repository: str, root: Path, directory: Path) -> str:
        """Commit what is in a directory, at the path it has below `root`."""
        paths = [path for path in directory.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        return self.commit(repository, {str(path.relative_to(root)): path.read_bytes() for path in paths})


def _archive(files: Mapping[str, str | bytes]) -> bytes:
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, content in files.items():
                data = content.encode() if isinstance(content, str) else content
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return buffer.getvalue()
