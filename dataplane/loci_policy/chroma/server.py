"""The gate's HTTP server on its unix socket: Envoy asks it about each request to Chroma (`ext_authz`)."""

from __future__ import annotations

from loci_contract.errors import ErrorCode
from loci_policy.asgi import REQUEST_ID, Receive, Scope, Send, header, raw_path, request_id_of, send_response
from loci_policy.chroma.decision import Call, Collections, Refusal, refusal
from loci_policy.decision import bearer_token
from loci_policy.responses import Response, error

_STARTING = Refusal(503, ErrorCode.UNAVAILABLE, "The gate does not know the collections yet; try again soon.")


class GateApp:
    """Raw ASGI; refuses everything until it knows the collections."""

    def __init__(self, provisioner_sha256: str | None) -> None:
        self._provisioner_sha256 = provisioner_sha256
        self._collections: Collections | None = None

    def publish(self, collections: Collections) -> None:
        """Decide by this table from now on."""
        self._collections = collections

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Respond to one question of Envoy; none has a body."""
        own_id, refused = request_id_of(scope), self._refusal(scope)
        response = Response(200, (), b"")
        if refused:
            response = error(refused.status, refused.error, refused.message, own_id)
        await send_response(scope, send, response, ((REQUEST_ID, own_id.encode()),))

    def _refusal(self, scope: Scope) -> Refusal | None:
        if self._collections is None:
            return _STARTING
        query = scope["query_string"].decode("latin-1")
        target = f"{raw_path(scope)}?{query}" if query else raw_path(scope)
        call = Call(scope["method"], target, bearer_token(header(scope, b"authorization")))
        return refusal(call, self._collections, self._provisioner_sha256)
