"""A real PostgreSQL, on loopback, in a folder of its own: for tests and benchmarks.

PostgreSQL does not run as root; then it runs as the user `postgres`, whom its packages make.
"""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.daemon_under_load import free_ports

_PATIENCE_S = 60


def programs() -> Path | None:
    """Return where PostgreSQL's programs lie, if they are installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found[-1].parent
    postgres = shutil.which("postgres")
    return Path(postgres).parent if postgres else None


class Server:
    """A server that can be stopped and started again."""

    def __init__(self, bin_: Path) -> None:
        """Start it."""
        self._bin = bin_
        self._folder = Path(tempfile.mkdtemp(prefix="hackles-pg-"))
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            owner = pwd.getpwnam("postgres")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        (self.port,) = free_ports(1)
        self._numbers = itertools.count(1)
        data = ("-D", str(self._folder / "data"))
        self._run("initdb", *data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -c fsync=off "
        options += f"-c unix_socket_directories={self._folder} -c shared_buffers=16MB"
        self._control("-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is as if it was killed."""
        self._control("-m", mode, "stop")

    def database(self) -> str:
        """Make an empty database, and return its URL."""
        import psycopg

        name = f"test{next(self._numbers)}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def remove(self) -> None:
        """Stop it, and delete all of it."""
        self.stop("immediate")
        shutil.rmtree(self._folder)

    def pids(self) -> list[int]:
        """Return the processes of the server."""
        first = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def _url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._bin / program), *arguments]
        # Its output goes to a file of its own: a pipe would stay open as long as the server.
        done = subprocess.run(
            command,
            cwd="/",
            timeout=_PATIENCE_S,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} ended with {done.returncode}")
