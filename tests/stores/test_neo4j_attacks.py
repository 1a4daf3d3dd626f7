"""Attacks with a tenant's real credentials on its own Neo4j are refused by the server's configuration.

A server serves one tenant, so what it must refuse is reaching beyond it: files of its host, other hosts, and the
procedures of plugins, which could do anything. Each attack is also seen to succeed on a server without the hardening.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import neo4j as driver
import pytest
from neo4j.exceptions import AuthError, ClientError

from loci_contract.neo4j import HARDENING
from loci_dev.rigs.neo4j import Neo4j, neo4j
from loci_dev.tools.catalog import MissingToolError, tool

FILE: Final = "LOAD CSV FROM $file AS line RETURN line[0] AS value"
HOSTS: Final = ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "127.1")
"""Spellings of one address."""
PLUGIN: Final = """
import java.nio.file.*; import java.util.stream.Stream; import org.neo4j.procedure.*;
public class Plugin {
  public static class Row { public String value; public Row(String value) { this.value = value; } }
  @Procedure(name = "apoc.load.text") public Stream<Row> procedure(@Name("path") String path) throws Exception {
    return Stream.of(new Row(Files.readString(Path.of(path)))); }
  @UserFunction(name = "apoc.text.of") public String function(@Name("path") String path) throws Exception {
    return Files.readString(Path.of(path)); }
}
"""
CALLS: Final = {
    "procedure": "CALL apoc.load.text($path) YIELD value RETURN value",
    "function": "RETURN apoc.text.of($path) AS value",
}


class Requests(BaseHTTPRequestHandler):
    """Serves a line to everybody, and counts."""

    paths: Final[list[str]] = []

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"fetched\n")

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """A plugin that reads any file, as a jar; None without a Java compiler."""
    folder = tmp_path_factory.mktemp("plugin")
    if not shutil.which("javac"):
        return None
    (folder / "Plugin.java").write_text(PLUGIN)
    (folder / "classes").mkdir()
    compile_ = ["javac", "-proc:none", "-cp", f"{jars()}/*", "-d", str(folder / "classes"), str(folder / "Plugin.java")]
    subprocess.run(compile_, check=True, capture_output=True)
    return Path(shutil.make_archive(str(folder / "plugin"), "zip", folder / "classes"))


def jars() -> Path:
    try:
        return tool("neo4j")
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture
def installed(plugin: Path | None) -> None:
    if plugin is None:
        pytest.skip("no Java compiler (javac), so there is no plugin to try")


@contextlib.contextmanager
def server(folder: Path, plugin: Path | None, hardening: Mapping[str, str] = HARDENING) -> Iterator[Neo4j]:
    """A server with a file on its host, and the plugin installed, if there is one."""
    (folder / "plugins").mkdir()
    if plugin:
        shutil.copy(plugin, folder / "plugins" / "plugin.jar")
    (folder / "secret.csv").write_text("secret\n")
    with neo4j(folder, hardening=hardening) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hardened")


@pytest.fixture(scope="module")
def hardened(folder: Path, plugin: Path | None) -> Iterator[Neo4j]:
    """The server of a tenant."""
    with server(folder, plugin) as running:
        yield running


@pytest.fixture(scope="module")
def soft_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("soft")


@pytest.fixture(scope="module")
def soft(soft_folder: Path, plugin: Path | None) -> Iterator[Neo4j]:
    """The same with the hardening taken away."""
    with server(soft_folder, plugin, hardening={}) as running:
        yield running


@pytest.fixture(scope="module")
def web() -> Iterator[int]:
    """The port of an HTTP server on the host."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Requests) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield listening.server_port
        listening.shutdown()
        thread.join()


def values(running: Neo4j, query: str, **parameters: Any) -> list[str]:
    with driver.GraphDatabase.driver(running.url, auth=running.auth, notifications_min_severity="OFF") as attacker:
        return [str(row["value"]).strip() for row in attacker.execute_query(query, parameters).records]


def refusal(running: Neo4j, query: str, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        values(running, query, **parameters)
    return f"{refused.value.code} {refused.value.message}"


@pytest.mark.invariant(1)
def test_credentials_of_another_server_are_refused(hardened: Neo4j, soft: Neo4j) -> None:
    for auth in (soft.auth, ("neo4j", "neo4j"), None):
        with driver.GraphDatabase.driver(hardened.url, auth=auth) as attacker, pytest.raises(AuthError):
            attacker.execute_query("MATCH (n) RETURN count(n)")


@pytest.mark.invariant(1)
def test_no_query_reads_a_file_of_the_host(hardened: Neo4j, folder: Path) -> None:
    for path in (folder / "secret.csv", Path("/etc/hostname"), Path("/x/../../../etc/hostname")):
        for url in (f"file://{path}", f"file://localhost{path}", f"FILE:{path}"):
            said = refusal(hardened, FILE, file=url)
            assert "allow_csv_import_from_file_urls" in said or "may not contain an authority" in said


def test_without_the_hardening_a_query_reads_a_file_of_the_host(soft: Neo4j, soft_folder: Path) -> None:
    assert values(soft, FILE, file=f"file://{soft_folder}/secret.csv") == ["secret"]


@pytest.mark.invariant(1)
def test_no_query_sends_a_request_to_another_host(hardened: Neo4j, web: int) -> None:
    Requests.paths.clear()
    for host in HOSTS:
        for scheme in ("http", "https", "ftp"):
            assert "cypher_ip_blocklist" in refusal(hardened, FILE, file=f"{scheme}://{host}:{web}/memories.csv")
    assert Requests.paths == []


def test_without_the_hardening_a_query_sends_requests(soft: Neo4j, web: int) -> None:
    Requests.paths.clear()
    for number, host in enumerate(HOSTS):
        assert values(soft, FILE, file=f"http://{host}:{web}/{number}") == ["fetched"]
    assert Requests.paths == [f"/{number}" for number in range(len(HOSTS))]


@pytest.mark.invariant(1)
@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_plugin_is_not_loaded(hardened: Neo4j, folder: Path, call: str) -> None:
    said = refusal(hardened, call, path=str(folder / "secret.csv"))
    assert "ProcedureNotFound" in said or "Unknown function" in said


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_without_the_hardening_a_plugin_reads_a_file(soft: Neo4j, soft_folder: Path, call: str) -> None:
    assert values(soft, call, path=str(soft_folder / "secret.csv")) == ["secret"]


@pytest.mark.invariant(1)
def test_settings_cannot_be_changed_by_a_query(hardened: Neo4j) -> None:
    change = "CALL dbms.setConfigValue('dbms.security.allow_csv_import_from_file_urls', 'true')"
    assert "ProcedureNotFound" in refusal(hardened, change)
