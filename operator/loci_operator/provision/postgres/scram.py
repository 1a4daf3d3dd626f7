"""SCRAM-SHA-256 verifiers (RFC 5803), sent instead of passwords so that none appears in statements or server logs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

_ITERATIONS: Final = 4096
"""Default of PostgreSQL 15. Passwords are random, so more iterations would only slow down logins."""


def verifier(password: str, salt: bytes | None = None) -> str:
    """SCRAM verifier of a printable ASCII password, in PostgreSQL's storage format."""
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, server_text = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${_ITERATIONS}:{salt_text}${stored_text}:{server_text}"
