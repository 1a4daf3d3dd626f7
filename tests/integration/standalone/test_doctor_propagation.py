"""Propagation time as `loci doctor` measures it, against a service that obeys its admin API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loci_cli.doctor.checks import propagation
from loci_cli.doctor.findings import Status
from loci_cli.doctor.installation import FaultError, Installation
from loci_dev.rigs.standalone import ADMIN_KEY, serve


async def test_a_new_key_is_measured_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCI_ADMIN_KEY", ADMIN_KEY)
    api: Any = None
    installation = Installation(api, api)
    with serve(tmp_path) as served, served.client(ADMIN_KEY) as admin:
        assert admin.post("/admin/tenants", json={"name": "acme", "tier": "pro"}).status_code == 201
        (finding,) = await propagation.check(installation, tenant="acme", ingress_url=served.url)
        keys = admin.get("/admin/tenants/acme/keys").json()["keys"]
        with pytest.raises(FaultError, match="status 404"):
            await propagation.check(installation, tenant="nobody", ingress_url=served.url)
    assert "rejected" in finding.message
    assert finding.status is not Status.SKIPPED
    assert [key["name"] for key in keys] == ["default"]
    (away,) = await propagation.check(installation, tenant="acme", ingress_url=served.url)
    (inside,) = await propagation.check(installation, tenant="acme", ingress_url=None)
    assert (away.status, inside.status) == (Status.FAILED, Status.SKIPPED)
