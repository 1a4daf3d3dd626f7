"""SCRAM-SHA-256 verifiers (RFC 5803): the server is told these, so that no password is in its statements or logs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

_ITERATIONS: Final = 4096
"""What PostgreSQL 15 takes itself. The passwords are random, so more would slow down logins alone."""


def verifier(password: str, salt: bytes | None = None) -> str:
    """Return a verifier of a password of printable ASCII, as PostgreSQL stores it."""
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, server_text = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${_ITERATIONS}:{salt_text}${stored_text}:{server_text}"
