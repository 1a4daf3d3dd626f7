"""Environment variables that the operator and the chart set and that processes read as settings."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "LOCI_"

TENANT: Final = "LOCI_TENANT"
"""Data plane: name of the tenant."""
DATA_DIR: Final = "LOCI_DATA_DIR"
"""Data plane: folder of the embedded stores."""
POSTGRES_DSN_FILE: Final = "LOCI_POSTGRES_DSN_FILE"
"""Data plane: file with the connection string of the tenant's schema in PostgreSQL; unset: SQLite."""
CHROMA_URL: Final = "LOCI_CHROMA_URL"
"""Data plane: base URL of the gate in front of the shared Chroma server; unset: Chroma in the process."""
CHROMA_COLLECTION: Final = "LOCI_CHROMA_COLLECTION"
"""Data plane: id of the tenant's collection."""
CHROMA_COLLECTION_FILE: Final = "LOCI_CHROMA_COLLECTION_FILE"
"""Data plane: file with that id, which `loci prepare-stores` writes."""
CHROMA_TOKEN_FILE: Final = "LOCI_CHROMA_TOKEN_FILE"  # noqa: S105 - a variable's name
"""Data plane: file with the tenant's token for the gate."""
NEO4J_URL: Final = "LOCI_NEO4J_URL"
"""Data plane: `bolt://` URL of the Neo4j server for the graph; unset: beside the records."""
NEO4J_USER: Final = "LOCI_NEO4J_USER"
NEO4J_PASSWORD_FILE: Final = "LOCI_NEO4J_PASSWORD_FILE"  # noqa: S105 - a variable's name
POSTGRES_ADMIN_USER: Final = "LOCI_POSTGRES_ADMIN_USER"
"""`loci prepare-stores`: superuser of the tenant's own PostgreSQL."""
POSTGRES_ADMIN_PASSWORD_FILE: Final = "LOCI_POSTGRES_ADMIN_PASSWORD_FILE"  # noqa: S105 - a variable's name
REDIS_URL_FILE: Final = "LOCI_REDIS_URL_FILE"
"""Data plane: file with the address of the Redis server for cached search results; unset: in the process."""
REDIS_CLUSTER: Final = "LOCI_REDIS_CLUSTER"
"""Data plane: whether that server is a node of a Redis Cluster."""
INGRESS_TOKEN_FILE: Final = "LOCI_INGRESS_TOKEN_FILE"  # noqa: S105 - a variable's name
"""Data plane: file with the tenant's ingress token."""
LIMITS_FILE: Final = "LOCI_LIMITS_FILE"
"""Data plane: JSON file with the tenant's Limits; reloaded when it changes."""
EMBEDDER_URL: Final = "LOCI_EMBEDDER_URL"
"""Data plane: base URL of the embedder, such as http://embedder.loci-system:8081."""
OTLP_ENDPOINT: Final = "LOCI_OTLP_ENDPOINT"
"""Every process: address of the OTLP/HTTP collector that spans are exported to; unset: no tracing."""
LOG_LEVEL_FILE: Final = "LOCI_LOG_LEVEL_FILE"
"""Every process: the file with the minimum log level (debug, info, warning or error); read again when it changes."""

ADMIN_KEY: Final = "LOCI_ADMIN_KEY"
"""`loci serve`: the admin key; generated and printed at startup if unset."""
ADMIN_KEY_SHA256: Final = "LOCI_ADMIN_KEY_SHA256"
"""Admin API and policy: hexadecimal SHA-256 of the admin key."""

LIMITS_FILE_NAME: Final = "limits.json"
LOG_LEVEL_FILE_NAME: Final = "log-level"
INGRESS_TOKEN_FILE_NAME: Final = "ingress-token"  # noqa: S105 - a file's name
