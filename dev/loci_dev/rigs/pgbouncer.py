"""PgBouncer in transaction mode before a PostgreSQL server: each transaction may get another session.

Clients log in with their own role's password. PgBouncer reads its SCRAM secret by a function that the server gives to
PgBouncer's role alone and that knows no superuser; the same secret logs it in at the server.
"""

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
from loci_dev.rigs.postgres import Cluster
from loci_dev.rigs.processes import free_port, is_listening, running
from loci_dev.tools.catalog import tool

_ROLE: Final = "pgbouncer"
_PREPARE: Final = """
DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
ALTER ROLE {role} PASSWORD '{password}';
DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO {role}', current_database()); END $$;
CREATE SCHEMA IF NOT EXISTS {role};
CREATE OR REPLACE FUNCTION {role}.lookup(wanted text, OUT usename text, OUT passwd text) RETURNS record
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
  AS $$ SELECT rolname, rolpassword FROM pg_authid WHERE rolname = wanted AND rolcanlogin AND NOT rolsuper $$;
REVOKE ALL ON FUNCTION {role}.lookup(text) FROM PUBLIC;
GRANT USAGE ON SCHEMA {role} TO {role};
GRANT EXECUTE ON FUNCTION {role}.lookup(text) TO {role};
"""


@dataclass(frozen=True)
class PgBouncer:
    """A running pooler."""

    port: int
    process: subprocess.Popen[bytes]

    def dsn(self, user: str, password: str, database: str = "postgres") -> str:
        """The address as clients take it."""
        return f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"


@contextlib.contextmanager
def pgbouncer(cluster: Cluster, database: str = "postgres", **settings: str | int) -> Iterator[PgBouncer]:
    """A pooler before one database of a running server; `settings` go into its `[pgbouncer]` section."""
    password, port = secrets.token_urlsafe(16), free_port()
    cluster.execute(_PREPARE.format(role=_ROLE, password=password), database)
    with daemon_folder() as folder:
        configuration = _configuration(folder, cluster.port, {"listen_port": port, **settings}, password)
        command = [tool("pgbouncer"), configuration]
        log = folder / "pgbouncer.log"
        with running(command, log, ready=lambda: is_listening(port), user=daemon_user()) as process:
            yield PgBouncer(port, process)


def _configuration(folder: Path, server: int, settings: dict[str, str | int], password: str) -> Path:
    users, configuration = folder / "users.txt", folder / "pgbouncer.ini"
    users.write_text(f'"{_ROLE}" "{password}"\n')
    options = {
        "listen_addr": "127.0.0.1",
        "unix_socket_dir": "",
        "pool_mode": "transaction",
        "auth_type": "scram-sha-256",
        "auth_file": users,
        "auth_user": _ROLE,
        "auth_query": f"SELECT usename, passwd FROM {_ROLE}.lookup($1)",  # noqa: S608 - constant name
        "max_client_conn": 5000,
        "default_pool_size": 10,
        **settings,
    }
    lines = [f"{name} = {value}" for name, value in options.items()]
    servers = f"[databases]\n* = host=127.0.0.1 port={server}\n"
    configuration.write_text("\n".join([servers, "[pgbouncer]", *lines, ""]))
    for file in (users, configuration):
        file.chmod(0o600)
        give(file)
    return configuration
