"""Responses to writes as they are kept for retries."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Response

from loci_dataplane.memories.batch import BatchItem, BatchOutput
from loci_dataplane.memories.schemas import DeletionOutput, MemoryOutput
from loci_dataplane.model.memory import Memory
from loci_dataplane.model.reply import Reply
from loci_runtime.errors import HttpError

PATH = "/v1/memories"
DELETED = Reply(204)


def created(memory: Memory) -> Reply:
    """201 with the memory."""
    headers = {"Location": f"{PATH}/{memory.id}", "ETag": memory.etag}
    return Reply(201, _body(memory), headers, (memory.id,))


def changed(memory: Memory) -> Reply:
    """200 with the memory."""
    return Reply(200, _body(memory), {"ETag": memory.etag}, (memory.id,))


async def batch(results: Sequence[Memory | HttpError]) -> Reply:
    """200 with each item's result."""
    stored = tuple(result.id for result in results if isinstance(result, Memory))
    output = BatchOutput(stored=len(stored), results=[BatchItem.of(result) for result in results])
    return Reply(200, output.model_dump_json().encode(), memory_ids=stored)


def deleted(number: int) -> Reply:
    """200 with the number of deleted memories."""
    return Reply(200, DeletionOutput(deleted=number).model_dump_json().encode())


def response(reply: Reply) -> Response:
    """The reply over HTTP."""
    media_type = "application/json" if reply.body else None
    return Response(reply.body, reply.status, dict(reply.headers), media_type)


def _body(memory: Memory) -> bytes:
    return MemoryOutput.of(memory).model_dump_json().encode()
