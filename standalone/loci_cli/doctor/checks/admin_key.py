"""The admin key: present, consistent, and not one that others know."""

from __future__ import annotations

import hmac
import re
from typing import Final

from loci_cli.doctor.findings import Finding, failed, ok, warning
from loci_cli.doctor.installation import FaultError, Installation, Reference
from loci_contract.keys import sha256

_NAME: Final = "admin key"
_VARIABLE: Final = "LOCI_ADMIN_KEY_SHA256"
_KNOWN: Final = frozenset(
    sha256(key) for key in ("", "development-admin-key", "admin", "admin-key", "changeme", "loci", "password", "secret")
)
"""Hashes of keys from examples and of common defaults."""
_LENGTH: Final = 20
_FIX: Final = "Replace the key as docs/runbooks/key-leaked.md says."


async def check(installation: Installation) -> list[Finding]:
    """Judge the hash that the processes compare with, and the key if the Secret has it."""
    digests = {process: await installation.setting(process, _VARIABLE) for process in ("admin", "policy")}
    for process, digest in digests.items():
        if not digest:
            raise FaultError(f"No Deployment sets {_VARIABLE} for the process {process}.", "Run `helm upgrade`.")
    if len({*digests.values()}) > 1:
        return [failed(_NAME, "The admin API and the policy compare with different keys.", "Run `helm upgrade`.")]
    return [judged(str(digests["admin"]), await _key(installation))]


def judged(digest: str, key: str | None) -> Finding:
    """The finding for a hash, and for the key where it is known."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        return failed(_NAME, "The hash is not 64 hexadecimal digits in lower case.", _FIX)
    if digest in _KNOWN:
        return failed(_NAME, "The key is a default that anyone can guess.", _FIX)
    if key is not None and not hmac.compare_digest(sha256(key), digest):
        return failed(_NAME, "The Secret's `sha256` is not the hash of its `key`.", _FIX)
    if key is not None and len(key) < _LENGTH:
        return warning(_NAME, f"The key has fewer than {_LENGTH} characters.", _FIX)
    return ok(_NAME, "It is set, and no known default.")


async def _key(installation: Installation) -> str | None:
    """The key itself; an existing Secret may have its hash alone."""
    reference = await installation.reference("admin", _VARIABLE)
    try:
        return await installation.secret_value(Reference(reference.secret, "key")) if reference else None
    except FaultError:
        return None
