"""Neo4j Community of a tenant's own: the graph. It has one database and no isolation, so it serves one tenant."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from loci_contract.neo4j import HARDENING
from loci_operator.specs.dedicated.server import CONFIG, DATA, Server, container, mount, probes
from loci_operator.specs.stores import NEO4J_PASSWORD, Neo4jAccess, Neo4jSettings

PORT: Final = 7687
_USER: Final = 7474
"""`neo4j` in the official image."""
_FILE: Final = "neo4j.conf"
_FOLDER: Final = "/etc/neo4j"
_CONFIG: Final = """server.directories.data=/data/neo4j
server.directories.logs=/tmp/neo4j/logs
server.directories.run=/tmp/neo4j/run
server.directories.import=/tmp/neo4j/import
server.directories.plugins=/tmp/neo4j/plugins
server.bolt.listen_address=0.0.0.0:{port}
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size={page_cache}
dbms.usage_report.enabled=false
"""


def neo4j(settings: Neo4jSettings, access: Neo4jAccess) -> Server:
    """One server with a volume."""
    script = files(__package__).joinpath("neo4j.sh").read_text()
    main = container(
        "neo4j",
        settings.image,
        settings.resources,
        command=["sh", "-c", script],
        env=[{"name": "HEAP", "value": settings.heap}],
        ports=[{"name": "bolt", "containerPort": PORT, "protocol": "TCP"}],
        volumeMounts=[
            mount("data", DATA),
            mount("config", CONFIG, read_only=True),
            {**mount("config", f"{_FOLDER}/{_FILE}", read_only=True), "subPath": _FILE},
            mount("tmp", "/tmp"),  # noqa: S108 - an emptyDir of the pod
        ],
        **probes({"tcpSocket": {"port": PORT}}, start_seconds=600),
    )
    secrets = {
        NEO4J_PASSWORD: access.password,
        _FILE: _config(settings.page_cache),
    }
    return Server("neo4j", PORT, (main,), secrets, user=_USER)


def _config(page_cache: str) -> str:
    hardening = "".join(f"{name}={value}\n" for name, value in HARDENING.items())
    return _CONFIG.format(port=PORT, page_cache=page_cache) + hardening
