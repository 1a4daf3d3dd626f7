"""Request bodies as applications read them: decompressed, and bounded in size.

gzip is decompressed piece by piece and never beyond the bound, so that a small body cannot become a large one in
memory.
"""

from __future__ import annotations

import zlib
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from loci_contract.errors import ErrorCode

ENCODINGS: Final = frozenset({"gzip", "x-gzip", "identity", ""})
"""Values of `Content-Encoding` that are accepted."""
ACCEPTED: Final = "gzip, identity"
_GZIP: Final = 16 + zlib.MAX_WBITS


class BodyError(HTTPException):
    """A body that cannot be read; an HTTPException since FastAPI lets no other error out of reading a body."""

    def __init__(self, status: int, code: ErrorCode, message: str) -> None:
        super().__init__(status, message)
        self.code = code


def content_encoding(sent: Headers) -> str:
    """The body's encoding, in lower case; empty when none is named."""
    return ", ".join(sent.getlist("content-encoding")).strip().lower()


def bounded(scope: Scope, receive: Receive, max_bytes: int) -> Receive:
    """`receive` for the body as it was meant; BodyError once it is longer than `max_bytes` or cannot be decompressed.

    Headers of the scope that describe the compressed body are removed.
    """
    sent = Headers(scope=scope)
    declared = sent.get("content-length", "0")
    if content_encoding(sent).endswith("gzip"):
        gone = (b"content-encoding", b"content-length")
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name not in gone]
        receive = _decompressed(receive, max_bytes)
    return _limited(receive, int(declared) if declared.isdecimal() else 0, max_bytes)


def _limited(receive: Receive, declared: int, max_bytes: int) -> Receive:
    counted = 0

    async def limited() -> Message:
        nonlocal counted
        if declared > max_bytes:
            raise _too_large(max_bytes)
        message = await receive()
        counted += len(message.get("body", b""))
        if counted > max_bytes:
            raise _too_large(max_bytes)
        return message

    return limited


def _decompressed(receive: Receive, max_bytes: int) -> Receive:
    decompressor, left, empty = zlib.decompressobj(_GZIP), max_bytes + 1, True

    async def decompressed() -> Message:
        nonlocal decompressor, left, empty
        message = await receive()
        if message["type"] != "http.request":
            return message
        compressed, plain = message.get("body", b""), bytearray()
        empty = empty and not compressed
        try:
            while compressed and left > len(plain):
                if decompressor.eof:  # another member follows, as when gzip files are joined
                    decompressor = zlib.decompressobj(_GZIP)
                plain += decompressor.decompress(compressed, left - len(plain))
                compressed = decompressor.unconsumed_tail or decompressor.unused_data
        except zlib.error:
            raise _not_gzip() from None
        left -= len(plain)
        ended = decompressor.eof or empty or not left
        if not ended and not message.get("more_body"):
            raise _not_gzip()
        return {**message, "body": bytes(plain)}

    return decompressed


def _too_large(max_bytes: int) -> BodyError:
    return BodyError(413, ErrorCode.PAYLOAD_TOO_LARGE, f"The body may have at most {max_bytes} bytes.")


def _not_gzip() -> BodyError:
    return BodyError(400, ErrorCode.BAD_REQUEST, "The body is not valid gzip, as its Content-Encoding says.")
