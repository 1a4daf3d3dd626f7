"""`/v1/erasures`: erase content, and read the receipt."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from loci_dataplane.erasures.schemas import ErasureInput, ErasureOutput
from loci_dataplane.erasures.service import Erasures
from loci_dataplane.injection import service
from loci_dataplane.memories.callers import FromCaller
from loci_runtime.parameters import NO_PARAMETERS

router = APIRouter(prefix="/v1/erasures", tags=["erasures"], dependencies=[NO_PARAMETERS])

ErasuresService = Annotated[Erasures, service(Erasures)]


@router.post("", status_code=202)
async def request(body: ErasureInput, erasures: ErasuresService, caller: FromCaller) -> ErasureOutput:
    """Erase a user's content, or what a filter matches, from every store. It is carried out even after a crash."""
    return ErasureOutput.of(await erasures.request(body.document(), caller))


@router.get("/{erasure_id}")
async def read(erasure_id: str, erasures: ErasuresService) -> ErasureOutput:
    """Read an erasure's progress and, once it is complete, its receipt."""
    return ErasureOutput.of(await erasures.get(erasure_id))
