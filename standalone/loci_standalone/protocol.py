"""HTTP/1.1 as `loci serve` speaks it to whoever comes: bounded, forgiving of upgrade offers, and JSON in its refusals.

Uvicorn's other protocol, which processes behind Envoy use, is faster, but it bounds no headers and drops the body of a
request that offers an upgrade to HTTP/2, as Java's client does by default.
"""

from __future__ import annotations

import uuid

import h11
import orjson
from uvicorn.protocols.http.h11_impl import H11Protocol

from loci_contract.errors import ErrorCode, error_body


class JsonH11(H11Protocol):
    """Answers what is no HTTP in the one error shape."""

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that cannot be read, and close its connection."""
        body = orjson.dumps(error_body(ErrorCode.BAD_REQUEST, msg, str(uuid.uuid4())))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
