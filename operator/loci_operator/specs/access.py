"""ServiceAccount of the tenant's pods, without any permissions."""

from __future__ import annotations

from loci_operator.specs.context import Context, Manifest, metadata


def service_account(context: Context) -> Manifest:
    """ServiceAccount without a token and without role bindings."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(context),
        "automountServiceAccountToken": False,
    }
