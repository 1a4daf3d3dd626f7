"""When the folder of declared tenants is looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from loci_contract.keys import sha256
from loci_dev.rigs.standalone import declare
from loci_resources.tenant import MemoryTenant
from loci_standalone.declared import DeclaredTenants
from loci_standalone.store import FolderStore


class Kept:
    """Stands in for the store: keeps what it is given, and says when something came."""

    def __init__(self) -> None:
        self.tenants: dict[str, MemoryTenant] = {}
        self.puts = 0
        self.came = asyncio.Event()

    async def all(self) -> Sequence[MemoryTenant]:
        return list(self.tenants.values())

    async def get(self, name: str) -> MemoryTenant | None:
        return self.tenants.get(name)

    async def put(self, tenant: MemoryTenant) -> None:
        self.tenants[tenant.metadata.name] = tenant
        self.puts += 1
        self.came.set()


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    (tmp_path / "declared").mkdir()
    return tmp_path / "declared"


def tenants(declared: Path, kept: Kept) -> DeclaredTenants:
    return DeclaredTenants(declared, declared.parent, cast("FolderStore", kept), lambda _: None)


async def test_a_file_written_before_the_folder_is_watched_is_not_missed(declared: Path) -> None:
    kept = Kept()
    files = tenants(declared, kept)
    await files.apply()
    declare(declared, "acme")
    following = asyncio.create_task(files.follow())
    async with asyncio.timeout(30):
        await kept.came.wait()
    following.cancel()
    assert set(kept.tenants) == {"acme"}


async def test_what_did_not_change_is_not_applied_again(declared: Path) -> None:
    kept = Kept()
    declare(declared, "acme")
    files = tenants(declared, kept)
    await files.apply()
    await files.apply()
    assert kept.puts == 1


async def test_a_tenant_that_cannot_be_taken_up_is_reported_and_its_key_is_not_lost(declared: Path) -> None:
    class Broken(Kept):
        async def put(self, tenant: MemoryTenant) -> None:
            if tenant.metadata.name == "broken":
                raise RuntimeError("canary")
            await super().put(tenant)

    told: list[str] = []
    kept = Broken()
    for name in ("broken", "whole"):
        declare(declared, name)
    files = DeclaredTenants(declared, declared.parent, cast("FolderStore", kept), told.append)
    await files.apply()
    assert set(kept.tenants) == {"whole"}
    assert "tenant broken cannot be applied (RuntimeError)" in told
    key = (declared.parent / "whole.default.key").read_text().strip()
    assert kept.tenants["whole"].spec.api_keys[0].sha256 == sha256(key)
