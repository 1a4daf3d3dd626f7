"""API keys: `sk-<tenant>-<secret><checksum>`.

The secret is 33 base-62 characters (196 bits); the checksum is the CRC-32 of all before it as 6 base-62 characters, so
that typing errors and foreign strings are refused without a look-up. Only the SHA-256 of a key is ever stored.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from typing import Final

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_LENGTH: Final = 33
_CHECKSUM_LENGTH: Final = 6
_SHAPE: Final = re.compile(rf"sk-([a-z][-a-z0-9]*)-([0-9A-Za-z]{{{_SECRET_LENGTH + _CHECKSUM_LENGTH}}})")


def generate(tenant: str) -> str:
    """A new API key of a tenant."""
    body = f"sk-{tenant}-" + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    return body + _checksum(body)


def is_well_formed(key: str) -> bool:
    """Whether the text has the shape and checksum of an API key; says nothing about its being known."""
    return _SHAPE.fullmatch(key) is not None and secrets.compare_digest(
        _checksum(key[:-_CHECKSUM_LENGTH]), key[-_CHECKSUM_LENGTH:]
    )


def tenant_of(key: str) -> str:
    """The tenant that an API key names; nothing of use for a text that is not well-formed."""
    return key[len("sk-") : -(_SECRET_LENGTH + _CHECKSUM_LENGTH + 1)]


def sha256(key: str) -> str:
    """The hash under which a key is stored and looked up: SHA-256, hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()


def key_id(key_sha256: str) -> str:
    """The public id of a key, made from its hash: safe in logs and status."""
    return f"key_{key_sha256[:12]}"


def generate_token() -> str:
    """A new secret for use between our own processes, or for an administrator: 256 bits, URL-safe."""
    return secrets.token_urlsafe(32)


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits.rjust(_CHECKSUM_LENGTH, _ALPHABET[0])
