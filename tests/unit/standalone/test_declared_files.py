"""When the folder of declared tenants is looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from loci_dev.standalone import declare
from loci_operator.api.tenant import MemoryTenant
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
