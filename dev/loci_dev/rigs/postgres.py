"""A PostgreSQL server for the length of a block: on the loopback address, on disk, with passwords for everybody."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from loci_dev.rigs.daemons import daemon_folder, daemon_user, give
from loci_dev.rigs.processes import free_port, running, wait_until, working_in
from loci_dev.tools.catalog import tool

SUPERUSER: Final = "postgres"
_SERVER: Final = "/usr/lib/postgresql/15/bin/postgres"
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "32MB",
    "autovacuum_naptime": "5s",
}


@dataclass(frozen=True)
class Cluster:
    """A data folder on disk; a server runs on it as often as wanted."""

    folder: Path
    port: int
    password: str

    def dsn(self, user: str = SUPERUSER, password: str | None = None, database: str = "postgres") -> str:
        """The address as clients take it; the superuser's unless told."""
        secret = quote(self.password if password is None else password, safe="")
        return f"postgresql://{quote(user, safe='')}:{secret}@127.0.0.1:{self.port}/{database}"

    @contextlib.contextmanager
    def running(self, **settings: str | int) -> Iterator[subprocess.Popen[bytes]]:
        """A server on it, once it takes connections; stopped in order when the block ends, unless it was killed."""
        options = {**_SETTINGS, "port": self.port, **settings}
        command = [
            _program("postgres"),
            "-D",
            str(self.folder / "data"),
            *(f"--{name}={value}" for name, value in options.items()),
        ]
        log = self.folder / "postgres.log"
        # After a kill its children need a moment to notice; until then no new server starts on the same data.
        wait_until(lambda: not working_in(self.folder / "data"), "an earlier server's processes are over")
        with running(command, log, ready=self.takes_connections, user=daemon_user()) as process:
            yield process

    def execute(self, statements: str, database: str = "postgres") -> None:
        """Run statements as the superuser; CalledProcessError when one fails."""
        command = [_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]
        dsn = self.dsn(database=database)
        subprocess.run([*command, dsn], input=statements.encode(), check=True, capture_output=True)

    def takes_connections(self) -> bool:
        """Whether the server answers and is done with recovery."""
        command = [_program("pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={self.port}", "--timeout=2"]
        return subprocess.run(command, check=False).returncode == 0


@dataclass(frozen=True)
class Postgres:
    """A running server and its data."""

    cluster: Cluster
    process: subprocess.Popen[bytes]

    def dsn(self, user: str = SUPERUSER, password: str | None = None, database: str = "postgres") -> str:
        """The address as clients take it; the superuser's unless told."""
        return self.cluster.dsn(user, password, database)


@contextlib.contextmanager
def postgres_cluster() -> Iterator[Cluster]:
    """An empty data folder whose one role is the superuser; `scram-sha-256` is asked of every connection."""
    with daemon_folder() as folder:
        cluster = Cluster(folder, free_port(), secrets.token_urlsafe(16))
        _initialise(cluster)
        yield cluster


@contextlib.contextmanager
def postgres(**settings: str | int) -> Iterator[Postgres]:
    """A server with data of its own; `settings` are configuration parameters, such as `max_connections=200`."""
    with postgres_cluster() as cluster, cluster.running(**settings) as process:
        yield Postgres(cluster, process)


def _initialise(cluster: Cluster) -> None:
    password = cluster.folder / "password"
    password.touch(mode=0o600)
    password.write_text(cluster.password)
    give(password)
    options = [f"--username={SUPERUSER}", f"--pwfile={password}", "--auth=scram-sha-256", "--locale=C.UTF-8"]
    command = [_program("initdb"), "--no-sync", f"--pgdata={cluster.folder / 'data'}", *options]
    user = daemon_user()
    groups = None if user is None else ()
    subprocess.run(command, check=True, capture_output=True, user=user, group=user, extra_groups=groups)
    password.unlink()


def _program(name: str) -> str:
    return str(tool(_SERVER).parent / name)
