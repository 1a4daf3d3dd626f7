"""Settings by which a Neo4j server refuses to reach beyond its database.

A client that sends Cypher could otherwise read files of the server's host and send requests from it by LOAD CSV. Neo4j
Community cannot take a privilege from a user, so the server's configuration has to refuse. Neo4j's own procedures
cannot be switched off; they act on this server alone, which serves one tenant. The data plane calls none.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

HARDENING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dbms.security.allow_csv_import_from_file_urls": "false",
        "internal.dbms.cypher_ip_blocklist": "0.0.0.0/0,::/0",  # every host, for LOAD CSV and for APOC
        "dbms.security.procedures.allowlist": "",  # no procedure or function of a plugin is loaded
        "dbms.security.procedures.unrestricted": "",
    }
)
"""Lines of `neo4j.conf`, for Neo4j 5."""
