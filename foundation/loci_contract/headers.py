"""HTTP header names, in lower case as ASGI and HTTP/2 carry them.

Every `x-loci-*` header is ours: the ingress drops clients' copies and the policy sets them.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "x-loci-"

UPSTREAM: Final = "x-loci-upstream"
"""host:port of the tenant's pod; Envoy routes by it."""
TENANT: Final = "x-loci-tenant"
KEY_ID: Final = "x-loci-key-id"
"""The public id of the API key used: safe to log."""
SCOPES: Final = "x-loci-scopes"
"""The key's scopes, comma-separated."""
INGRESS_TOKEN: Final = "x-loci-ingress-token"  # noqa: S105 - a header's name
"""Proves to the pod that a request came through the ingress."""
LEASE: Final = "x-loci-lease"
"""From Envoy's lease filter to the policy: a lease is wanted, and so many leased tokens were not used in time."""
OPERATION: Final = "x-loci-operation"
"""The operation of the routes table, from the policy to Envoy's access log."""

MAX_BODY_BYTES: Final = "x-loci-max-body-bytes"
"""From Envoy to the policy, with a request whose body is longer: the limit."""

REQUEST_ID: Final = "x-request-id"
API_KEY: Final = "x-api-key"

PRIORITY: Final = "x-loci-priority"
"""To the embedder: PRIORITY_BULK texts wait for all others."""
PRIORITY_BULK: Final = "bulk"
