"""One `loci serve` with three declared tenants, for the tests that need no other."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from loci_dev.rigs.standalone import Served, declare, serve


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("standalone")
    tenants = folder / "tenants"
    tenants.mkdir()
    declare(tenants, "acme", tier="enterprise")
    declare(tenants, "other", tier="enterprise")
    declare(tenants, "small", tier="free")
    with serve(folder, tenants) as running:
        yield running


@pytest.fixture
def acme(served: Served) -> Iterator[httpx.Client]:
    with served.client(served.key("acme")) as client:
        yield client


@pytest.fixture
def other(served: Served) -> Iterator[httpx.Client]:
    with served.client(served.key("other")) as client:
        yield client
