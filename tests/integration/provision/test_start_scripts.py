"""The scripts that start a tenant's own PostgreSQL and Neo4j, on real servers: another password is taken over."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import asyncpg
import neo4j
import pytest

from loci_dev.rigs.contexts import DEDICATED
from loci_dev.rigs.daemons import daemon_folder, daemon_user, give
from loci_dev.rigs.postgres import Cluster
from loci_dev.rigs.processes import free_port, is_listening, running
from loci_dev.tools.catalog import MissingToolError, tool
from loci_operator.specs import dedicated
from loci_operator.specs.dedicated.neo4j import neo4j as neo4j_server
from loci_operator.specs.stores import Neo4jAccess

FIRST, SECOND = '-first password\'s "text" \\', "the-second_password"


def script(store: str) -> list[str]:
    return ["sh", "-c", files(dedicated).joinpath(f"{store}.sh").read_text()]


@contextlib.contextmanager
def postgres(folder: Path, port: int, password: str) -> Iterator[None]:
    (file := folder / "password").write_text(password)
    give(file)
    environment = {
        "DATA": str(folder),
        "PASSWORD_FILE": str(file),
        "PGPORT": str(port),
        "MAX_CONNECTIONS": "20",
    }
    ready, log = Cluster(folder, port, password).takes_connections, folder / "postgres.log"
    with running(script("postgres"), log, ready=ready, environment=environment, user=daemon_user()):
        yield


async def value(port: int, password: str, query: str) -> object:
    dsn = f"postgresql://postgres:{quote(password, safe='')}@127.0.0.1:{port}/loci"
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_postgres_takes_over_the_password_of_its_secret_and_keeps_its_data() -> None:
    with daemon_folder() as folder:
        port = free_port()
        with postgres(folder, port, FIRST):
            await value(port, FIRST, "CREATE TABLE kept AS SELECT 1 AS number")
        with postgres(folder, port, SECOND):
            assert await value(port, SECOND, "SELECT number FROM kept") == 1
            with pytest.raises(asyncpg.InvalidPasswordError):
                await value(port, FIRST, "SELECT 1")
        with postgres(folder, port, FIRST):
            assert await value(port, FIRST, "SELECT number FROM kept") == 1
        assert FIRST not in (folder / "postgres.log").read_text()


@contextlib.contextmanager
def graph(folder: Path, port: int, password: str) -> Iterator[str]:
    (file := folder / "password").write_text(password)
    (config := folder / "conf").mkdir(exist_ok=True)
    (home := folder / "home").mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (home / "lib").symlink_to(tool("neo4j"))
    text = neo4j_server(DEDICATED.neo4j, Neo4jAccess("bolt://x:1", password)).secrets["neo4j.conf"]
    text = text.replace("/data", str(folder)).replace("/tmp/neo4j", str(folder / "run"))
    (config / "neo4j.conf").write_text(text.replace("0.0.0.0:7687", f"127.0.0.1:{port}"))
    environment = {
        "DATA": str(folder),
        "PASSWORD_FILE": str(file),
        "CONFIG": str(config),
        "RUN": str(folder / "run"),
        "HEAP": "192m",
        "NEO4J_HOME": str(home),
    }
    log = folder / "neo4j.log"
    with running(script("neo4j"), log, ready=lambda: is_listening(port), environment=environment, seconds=180):
        yield f"bolt://127.0.0.1:{port}"


def names(url: str, password: str, query: str = "MATCH (n:Kept) RETURN n.name AS name") -> list[str]:
    with neo4j.GraphDatabase.driver(url, auth=("neo4j", password)) as driver:
        return [row["name"] for row in driver.execute_query(query).records]


def test_neo4j_takes_over_the_password_of_its_secret_and_keeps_its_graph(tmp_path: Path) -> None:
    try:
        tool("neo4j")
    except MissingToolError as error:
        pytest.skip(str(error))
    port = free_port()
    with graph(tmp_path, port, FIRST) as url:
        names(url, FIRST, "CREATE (n:Kept {name: 'kept'}) RETURN n.name AS name")
        with pytest.raises(neo4j.exceptions.AuthError):
            names(url, "neo4j")
    with graph(tmp_path, port, SECOND) as url:
        assert names(url, SECOND) == ["kept"]
        with pytest.raises(neo4j.exceptions.AuthError):
            names(url, FIRST)
    assert FIRST not in (tmp_path / "neo4j.log").read_text()
