"""Dates of the certificates in TLS Secrets of the installation's namespace."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from loci_cli.doctor.findings import Finding, failed, ok, skipped, warning
from loci_cli.doctor.installation import Installation
from loci_kubernetes.api import Json
from loci_kubernetes.kinds import SECRET

_SOON: Final = timedelta(days=14)
_FIX: Final = "Renew the certificate; if cert-manager issues it: kubectl describe certificate"


async def check(installation: Installation) -> list[Finding]:
    """Judge every TLS Secret."""
    secrets = await installation.api.list(SECRET, installation.namespace, fieldSelector="type=kubernetes.io/tls")
    if not secrets:
        return [skipped("certificates", f"No TLS Secret in {installation.namespace}; TLS ends elsewhere.")]
    return [judged(secret, installation.now()) for secret in secrets]


def judged(secret: Json, now: datetime) -> Finding:
    """The finding for the certificate of a chain that expires first."""
    name = f"certificate {secret['metadata']['name']}"
    try:
        chain = x509.load_pem_x509_certificates(base64.b64decode(secret["data"]["tls.crt"]))
    except (KeyError, ValueError):
        return failed(name, "tls.crt has no certificate in PEM form.", _FIX)
    begins = max(certificate.not_valid_before_utc for certificate in chain)
    ends = min(certificate.not_valid_after_utc for certificate in chain)
    if now > ends:
        return failed(name, f"It expired on {ends:%Y-%m-%d %H:%M} UTC.", _FIX)
    if now < begins:
        return failed(name, f"It is not valid before {begins:%Y-%m-%d %H:%M} UTC.", _FIX)
    if ends - now < _SOON:
        return warning(name, f"It expires on {ends:%Y-%m-%d %H:%M} UTC.", _FIX)
    return ok(name, f"It is valid until {ends:%Y-%m-%d}.")
