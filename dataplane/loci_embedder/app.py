"""The HTTP API: OpenAI's `POST /v1/embeddings` and `GET /v1/models`, health and metrics."""

from __future__ import annotations

import base64
from typing import Annotated, Final, Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import ConfigDict, Field, StringConstraints, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from loci_contract import headers, routes
from loci_contract.errors import ErrorCode, error_body
from loci_contract.inputs import Input
from loci_embedder.batching import BusyError, Embedded
from loci_embedder.manifest import Manifest
from loci_embedder.metrics import Metrics
from loci_embedder.serving import InputType, Models
from loci_runtime.bodies import BodyError
from loci_runtime.edge import Edge, Rules
from loci_runtime.error_responses import error_response

Text = Annotated[str, StringConstraints(min_length=1, max_length=131_072)]
MAX_BODY_BYTES: Final = 64 * 2**20
"""Room for the largest batch that the schema allows."""


class EmbeddingRequest(Input):
    """OpenAI's request body. `model` is optional; `input_type` tells what the texts are for."""

    model_config = ConfigDict(extra="ignore")

    input: Text | Annotated[list[Text], Field(min_length=1, max_length=256)]
    model: Annotated[str, StringConstraints(max_length=100)] | None = None
    input_type: InputType = "passage"
    encoding_format: Literal["float", "base64"] = "float"


def create_app(models: Models) -> Starlette:
    """ASGI application for models in service."""
    registry = CollectorRegistry()
    counted = Metrics(registry)
    counted.waiting.set_function(lambda: sum(model.batcher.waiting for model in models.served()))
    for served in models.served():
        counted.cached.labels(served.manifest.name).set_function(served.batcher.hit_ratio)

    async def embeddings(request: Request) -> Response:
        try:
            wanted = EmbeddingRequest.model_validate_json(await request.body())
        except ValidationError as error:
            return _invalid(request, error)
        model = models.find(wanted.model)
        if model is None:
            return _unknown_model(request, models)
        name = model.manifest.name
        inputs = [wanted.input] if isinstance(wanted.input, str) else wanted.input
        interactive = request.headers.get(headers.PRIORITY) != headers.PRIORITY_BULK
        priority = "interactive" if interactive else "bulk"
        try:
            with counted.duration.labels(priority).time():
                embedded = await model.embed(inputs, wanted.input_type, interactive=interactive)
        except BusyError as error:
            counted.refused.inc()
            return _busy(request, error)
        counted.texts.labels(priority).inc(len(inputs))
        counted.tokens.labels(name).inc(embedded.tokens)
        return _json(200, _answer(name, embedded, wanted.encoding_format))

    async def list_models(_: Request) -> Response:
        return _json(200, {"object": "list", "data": [_described(model.manifest) for model in models.served()]})

    async def alive(_: Request) -> Response:
        return _json(200, {"status": "healthy"})

    async def metrics(_: Request) -> Response:
        return PlainTextResponse(generate_latest(registry))

    app = Starlette(
        routes=[
            Route("/v1/embeddings", embeddings, methods=["POST"]),
            Route("/v1/models", list_models),
            Route("/livez", alive),
            Route("/readyz", alive),
            Route("/metrics", metrics),
        ],
        exception_handlers={BodyError: _body_error},
    )
    app.add_middleware(Edge, rules=Rules(lambda *_: None, MAX_BODY_BYTES, routes.EMBEDDER))
    return app


def _answer(model: str, embedded: Embedded, encoding: str) -> dict[str, object]:
    data = [
        {"object": "embedding", "index": i, "embedding": _encode(vector, encoding)}
        for i, vector in enumerate(embedded.vectors)
    ]
    usage = {"prompt_tokens": embedded.tokens, "total_tokens": embedded.tokens}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def _described(manifest: Manifest) -> dict[str, object]:
    """OpenAI's description of a model, and what the data plane has to know about its vectors."""
    return {
        "id": manifest.name,
        "object": "model",
        "created": 0,
        "owned_by": "loci",
        "dimension": manifest.dimension,
        "max_tokens": manifest.max_tokens,
        "licence": manifest.licence,
        "centre": manifest.cosines.centre,
        "width": manifest.cosines.width,
        "english_only": manifest.english_only,
    }


def _encode(vector: NDArray[np.float32], encoding: str) -> list[float] | str:
    if encoding == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    numbers: list[float] = vector.tolist()
    return numbers


def _json(status: int, body: object, more: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, {"content-type": "application/json", **(more or {})})


def _request_id(request: Request) -> str:
    own_id: str = request.scope["request_id"]
    return own_id


def _invalid(request: Request, error: ValidationError) -> Response:
    """Describe validation errors without quoting the request."""
    found = error.errors(include_input=False, include_context=False, include_url=False)
    if any(entry["type"] == "json_invalid" for entry in found):
        return _json(400, error_body(ErrorCode.BAD_REQUEST, "The body is not valid JSON.", _request_id(request)))
    fields = [{"field": ".".join(map(str, ("body", *e["loc"]))), "message": e["msg"]} for e in found]
    body = error_body(ErrorCode.VALIDATION_FAILED, "The request is invalid.", _request_id(request), fields=fields)
    return _json(422, body)


def _unknown_model(request: Request, models: Models) -> Response:
    fields = [
        {
            "field": "body.model",
            "message": f"must be one of {', '.join(model.manifest.name for model in models.served())}",
        }
    ]
    body = error_body(ErrorCode.VALIDATION_FAILED, "The request is invalid.", _request_id(request), fields=fields)
    return _json(422, body)


def _busy(request: Request, error: BusyError) -> Response:
    message = "The queue is full. Try again later."
    body = error_body(ErrorCode.RATE_LIMIT_EXCEEDED, message, _request_id(request), retry_after=error.retry_after)
    return _json(429, body, {"retry-after": str(error.retry_after)})


async def _body_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BodyError)
    return error_response(error.status_code, error.code, error.detail, _request_id(request))
