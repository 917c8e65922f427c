"""One container of a pod: its program is started in a sandbox, and its end is written into its state."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from windlass.build.expansion import expand
from windlass.dev.pods.environment import Lookup, build_environment
from windlass.dev.pods.errors import ConfigMissing, ImageMissing, StartRefused, Unstartable
from windlass.dev.pods.host import Host
from windlass.dev.pods.images import GIT_SYNC_PROGRAM, PASSWD, Image, image_of, local_repository, pull_error
from windlass.dev.pods.layout import is_own
from windlass.dev.pods.logs import ContainerLog, tail
from windlass.dev.pods.process import Process, start
from windlass.dev.pods.sandbox import Sandbox, sandbox_command, search_path
from windlass.dev.pods.slots import Slots
from windlass.dev.pods.status import ContainerState, final_message, not_started, running, terminated
from windlass.dev.pods.volumes import Mount, Volume, mounts_of
from windlass.engine.ports import Clock

Body = dict[str, Any]
LOG_TAIL_BYTES: Final = 2048
LOG_TAIL_LINES: Final = 80
_MONITOR_SAYS: Final = b"bwrap: "


@dataclass(frozen=True, slots=True)
class Machine:
    """What all containers share."""

    host: Host
    clock: Clock
    hidden: tuple[Path, ...]
    """Directories that no container may look into."""
    shared: Path
    """The directory that every container sees at its own path, to read and to write."""
    git_sync: Path
    """The stand-in for the git-sync image."""
    slots: Slots


@dataclass(frozen=True, slots=True)
class PodHome:
    """Where a pod has its files."""

    path: Path

    @property
    def volumes(self) -> Path:
        return self.path / "volumes"

    @property
    def hosts(self) -> Path:
        return self.path / "hosts"

    def scratch(self, container: str) -> Path:
        """The container's /tmp."""
        return self.path / "scratch" / container

    def log(self, container: str, restarts: int) -> Path:
        return self.path / "logs" / f"{container}-{restarts}"

    def message(self, container: str) -> Path:
        """The termination message file."""
        return self.path / "messages" / container

    def make(self) -> None:
        for part in ("volumes", "scratch", "logs", "messages"):
            (self.path / part).mkdir(parents=True, exist_ok=True)

    def used_up(self) -> list[Path]:
        """What nobody needs when the pod has ended; its logs stay."""
        return [self.volumes, self.path / "scratch", self.path / "messages"]


class Container:
    """The program of one container, started again when its pod says so."""

    def __init__(self, pod: Body, spec: Body, state: ContainerState, home: PodHome, machine: Machine) -> None:
        self.spec = spec
        self.state = state
        self.log: ContainerLog | None = None
        self._pod = pod
        self._home = home
        self._machine = machine
        self._process: Process | None = None
        self._begun = b""
        self._stopping = False

    def start(self, volumes: Mapping[str, Volume], lookup: Lookup) -> None:
        """Start the program. Raises StartRefused when it can't be."""
        name, clock = self.state.name, self._machine.clock
        command, environment = self._command(volumes, lookup)
        self._home.message(name).write_bytes(b"")
        self._home.message(name).chmod(0o666)
        self.log = ContainerLog(self._home.log(name, self.state.restarts))
        self._begun = b""
        self.state.container_id = f"local://{self._pod['metadata']['uid']}-{name}-{self.state.restarts}"
        try:
            self._process = start(command, environment, self._take)
        except (OSError, ValueError) as error:
            self.log.close()
            raise Unstartable(f"the process could not be started: {error}") from error
        self.state.state = running(clock.now())

    async def ended(self) -> None:
        """Wait for the end of the program and write it into the state."""
        process, log = self._process, self.log
        if process is None or log is None:
            return
        code = await process.wait()
        log.close()
        self._process = None
        self.state.state = self._end(code)

    def terminate(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _take(self, data: bytes) -> None:
        if len(self._begun) < LOG_TAIL_BYTES:
            self._begun += data[:LOG_TAIL_BYTES]
        if self.log is not None:
            self.log.write(data, self._machine.clock.now())

    def _end(self, code: int) -> Body:
        now, state = self._machine.clock.now(), self.state
        if code == 1 and self._begun.startswith(_MONITOR_SAYS) and self._begun.count(b"\n") == 1:
            said = self._begun.decode(errors="replace").strip().removeprefix("bwrap: ")
            return not_started("StartError", _runtime_words(said), now, state.container_id)
        return terminated(code, state.state["running"]["startedAt"], now, self._message(code), state.container_id)

    def _message(self, code: int) -> str:
        spec = self._pod["spec"]
        data = self._home.message(self.state.name).read_bytes()[-LOG_TAIL_BYTES * 2 :]
        fallback = self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        if not data and code and fallback:
            data = tail(self._home.log(self.state.name, self.state.restarts), LOG_TAIL_BYTES, LOG_TAIL_LINES)
        return final_message(data, len(spec["containers"]) + len(spec.get("initContainers") or []))

    def _command(self, volumes: Mapping[str, Volume], lookup: Lookup) -> tuple[list[str], dict[str, str]]:
        image = image_of(self.spec["image"])
        if image is Image.MISSING:
            raise ImageMissing(pull_error(self.spec["image"]))
        user, group = self._identity()
        hostname = hostname_of(self._pod)
        base = {"PATH": search_path(), "HOSTNAME": hostname, "HOME": "/tmp", "LANG": "C.UTF-8"}
        environment = build_environment(self._pod, self.spec, base, lookup)
        program = self._program(image, environment)
        sandbox = Sandbox(
            hostname=hostname,
            user=user,
            group=group,
            tmp=self._scratch(),
            mounts=[*self._own_mounts(image, program), *mounts_of(self.spec, volumes, environment)],
            hidden=self._machine.hidden,
            working_dir=self.spec.get("workingDir") or "/",
            command=program,
        )
        try:
            return sandbox_command(self._machine.host, sandbox), environment
        except OSError as error:
            raise Unstartable(f"the sandbox can't be laid out: {error}") from error

    def _program(self, image: Image, environment: Mapping[str, str]) -> list[str]:
        words = [
            expand(word, environment) for word in (*(self.spec.get("command") or ()), *(self.spec.get("args") or ()))
        ]
        if image is Image.GIT_SYNC and not self.spec.get("command"):
            return [GIT_SYNC_PROGRAM, *words]
        if not words:
            raise Unstartable(
                f'no command specified: the development cluster does not pull image "{self.spec["image"]}", '
                "so it does not know its entrypoint; give the container a command"
            )
        return words

    def _identity(self) -> tuple[int, int]:
        wanted = (self._pod["spec"].get("securityContext") or {}) | (self.spec.get("securityContext") or {})
        user = wanted.get("runAsUser")
        if wanted.get("runAsNonRoot") and user == 0:
            raise ConfigMissing("container's runAsUser breaks non-root policy")
        group = wanted.get("runAsGroup")
        return (os.geteuid() if user is None else user), (user or os.getegid() if group is None else group)

    def _own_mounts(self, image: Image, program: Sequence[str]) -> list[Mount]:
        path = self.spec.get("terminationMessagePath") or "/dev/termination-log"
        mounts = [
            Mount(str(self._machine.shared), self._machine.shared),
            Mount("/etc/hosts", self._home.hosts, read_only=True),
            Mount(path, self._home.message(self.state.name)),
        ]
        if image is Image.GIT_SYNC:
            mounts += self._git_sync_mounts(program)
        return mounts

    def _git_sync_mounts(self, program: Sequence[str]) -> list[Mount]:
        passwd = self._home.path / f"passwd-{self.state.name}"
        passwd.write_text(PASSWD)
        mounts = [
            Mount("/etc/passwd", passwd),
            Mount(GIT_SYNC_PROGRAM, self._machine.git_sync, read_only=True),
        ]
        repository = local_repository(program)
        # The host's other directories are there anyway, but not its /tmp and /run.
        if repository is not None and Path(repository).exists() and is_own(repository):
            mounts.append(Mount(repository, Path(repository), read_only=True))
        return mounts

    def _scratch(self) -> Path:
        path = self._home.scratch(self.state.name)
        path.mkdir(exist_ok=True)
        path.chmod(0o1777)
        return path


def hostname_of(pod: Body) -> str:
    """The host name that the pod's containers see."""
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:63].rstrip("-.")


def refuse(state: ContainerState, refused: StartRefused) -> None:
    """Write into the state why the container waits."""
    hidden = refused.reason == "ContainerCreating"
    state.state = {"waiting": {"reason": refused.reason} | ({} if hidden else {"message": refused.message})}


def _runtime_words(said: str) -> str:
    """What a container runtime says where the sandbox says `said`."""
    words = said.removeprefix("execvp ")
    if words != said:
        program, _, why = words.rpartition(": ")
        missing = why == "No such file or directory" and "/" not in program
        said = f'exec: "{program}": ' + ("executable file not found in $PATH" if missing else why.lower())
    return f"failed to create containerd task: failed to create shim task: OCI runtime create failed: {said}"
