"""HTTP/1.1 protocol of `loci serve`, which faces clients directly: bounded headers, and parse errors as JSON.

Uvicorn's httptools protocol, used by the processes behind Envoy, is faster, but it does not bound headers and drops the
body of a request that offers an upgrade to HTTP/2, as Java's client does by default.
"""

from __future__ import annotations

import uuid

import h11
import orjson
from uvicorn.protocols.http.h11_impl import H11Protocol

from loci_contract.errors import ErrorCode, error_body


class JsonH11(H11Protocol):
    """h11 protocol that responds to malformed HTTP in the API's error format."""

    def send_400_response(self, msg: str) -> None:
        """Reject a malformed request and close its connection."""
        body = orjson.dumps(error_body(ErrorCode.BAD_REQUEST, msg, str(uuid.uuid4())))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
