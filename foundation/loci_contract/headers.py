"""HTTP header names in lower case, as ASGI and HTTP/2 represent them.

`x-loci-*` headers are internal: the ingress drops copies that clients send, and the policy sets them.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "x-loci-"

UPSTREAM: Final = "x-loci-upstream"
"""host:port of the tenant's pod, which Envoy routes to."""
TENANT: Final = "x-loci-tenant"
KEY_ID: Final = "x-loci-key-id"
"""Public id of the API key; safe to log."""
SCOPES: Final = "x-loci-scopes"
"""Scopes of the API key, comma-separated."""
INGRESS_TOKEN: Final = "x-loci-ingress-token"  # noqa: S105 - a header's name
"""Token that proves to the pod that a request came through the ingress."""
LEASE: Final = "x-loci-lease"
"""From Envoy's lease filter to the policy: a lease is wanted, and so many leased tokens were not used in time."""
OPERATION: Final = "x-loci-operation"
"""Operation name from the routes table, for Envoy's access log."""

MAX_BODY_BYTES: Final = "x-loci-max-body-bytes"
"""Body size limit in bytes, sent by Envoy to the policy with a request that exceeds it."""

REQUEST_ID: Final = "x-request-id"
API_KEY: Final = "x-api-key"

PRIORITY: Final = "x-loci-priority"
"""Priority of a request to the embedder; PRIORITY_BULK texts are processed after all others."""
PRIORITY_BULK: Final = "bulk"
