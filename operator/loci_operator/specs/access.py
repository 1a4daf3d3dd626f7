"""Who the tenant's pods are: an account that may do nothing."""

from __future__ import annotations

from loci_operator.specs.context import Context, Manifest, metadata


def service_account(context: Context) -> Manifest:
    """An account without a token and without a role."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(context),
        "automountServiceAccountToken": False,
    }
