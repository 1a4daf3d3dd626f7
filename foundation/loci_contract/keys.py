"""API keys of the form `sk-<tenant>-<secret><checksum>`.

The secret has 33 base-62 characters (196 bits). The checksum is the CRC-32 of everything before it as 6 base-62
characters, so that typos and unrelated strings are rejected without a lookup. Only the SHA-256 of a key is stored.
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
    """Generate an API key for a tenant."""
    body = f"sk-{tenant}-" + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    return body + _checksum(body)


def is_well_formed(key: str) -> bool:
    """Whether a string has the format and checksum of an API key; does not imply that the key exists."""
    return _SHAPE.fullmatch(key) is not None and secrets.compare_digest(
        _checksum(key[:-_CHECKSUM_LENGTH]), key[-_CHECKSUM_LENGTH:]
    )


def tenant_of(key: str) -> str:
    """Tenant named in a well-formed API key; undefined for other strings."""
    return key[len("sk-") : -(_SECRET_LENGTH + _CHECKSUM_LENGTH + 1)]


def sha256(key: str) -> str:
    """Hexadecimal SHA-256 under which a key is stored and looked up."""
    return hashlib.sha256(key.encode()).hexdigest()


def key_id(key_sha256: str) -> str:
    """Public id of a key, derived from its hash; safe in logs and status."""
    return f"key_{key_sha256[:12]}"


def generate_token() -> str:
    """Generate a URL-safe secret of 256 bits, for use between Loci's processes or as the admin key."""
    return secrets.token_urlsafe(32)


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits.rjust(_CHECKSUM_LENGTH, _ALPHABET[0])
