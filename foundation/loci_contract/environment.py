"""Environment keys that the operator and the chart set and a process reads (as fields of its settings)."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "LOCI_"

TENANT: Final = "LOCI_TENANT"
"""Data plane: the tenant's name."""
DATA_DIR: Final = "LOCI_DATA_DIR"
"""Data plane: the folder of the embedded stores."""
POSTGRES_DSN_FILE: Final = "LOCI_POSTGRES_DSN_FILE"
"""Data plane: the file with the address and credentials of the tenant's schema in PostgreSQL; unset: SQLite."""
INGRESS_TOKEN_FILE: Final = "LOCI_INGRESS_TOKEN_FILE"  # noqa: S105 - a variable's name
"""Data plane: the file with the tenant's ingress token."""
LIMITS_FILE: Final = "LOCI_LIMITS_FILE"
"""Data plane: the JSON file with the tenant's Limits; read again when it changes."""
EMBEDDER_URL: Final = "LOCI_EMBEDDER_URL"
"""Data plane: base address of the embedder, such as http://embedder.loci-system:8081."""
LOG_LEVEL: Final = "LOCI_LOG_LEVEL"
"""Every process: debug, info, warning or error."""

ADMIN_KEY: Final = "LOCI_ADMIN_KEY"
"""Standalone: the admin key itself; made and shown once when unset."""
ADMIN_KEY_SHA256: Final = "LOCI_ADMIN_KEY_SHA256"
"""Admin API and policy: the admin key's SHA-256, hexadecimal."""

LIMITS_FILE_NAME: Final = "limits.json"
INGRESS_TOKEN_FILE_NAME: Final = "ingress-token"  # noqa: S105 - a file's name
