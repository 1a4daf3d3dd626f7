"""The admin API as a process under its own account, on a real API server."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from loci_contract.keys import is_well_formed, sha256
from loci_dev.cluster.accounts import account
from loci_dev.cluster.controlplane import ControlPlane
from loci_dev.rigs.pod import answers
from loci_dev.rigs.processes import free_port, running

ADMIN_KEY = "an-admin-key-of-this-test"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("admin") / "admin.log"


@pytest.fixture(scope="module")
def url(plane: ControlPlane, log: Path) -> Iterator[str]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {
        "KUBECONFIG": str(account(plane, "admin")),
        "LOCI_ADMIN_KEY_SHA256": sha256(ADMIN_KEY),
        "LOCI_PORT": str(port),
    }
    command = [sys.executable, "-m", "loci_admin"]
    with running(command, log, ready=answers(f"{address}/readyz"), environment=environment):
        yield address


@pytest.fixture
def admin(url: str, plane: ControlPlane) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {ADMIN_KEY}"}) as client:
        yield client
    plane.kubectl("delete", "mt", "--all")


def create(admin: httpx.Client, name: str = "acme_corp", tier: str = "pro") -> dict[str, Any]:
    answer = admin.post("/admin/tenants", json={"name": name, "tier": tier})
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def test_creating_a_tenant_makes_the_object_with_the_keys_hash_alone(admin: httpx.Client, plane: ControlPlane) -> None:
    created = create(admin)
    limits = created.pop("limits")
    key = created.pop("api_key")
    assert created == {"tenant_id": "acme-corp", "tier": "pro"}
    assert limits == {"requests_per_minute": 1000, "max_memories": 100000, "max_graph_nodes": 500000, "burst": 100}
    assert is_well_formed(key)
    document = plane.kubectl("get", "mt", "acme-corp", "-o", "json", "--show-managed-fields")
    assert [k["sha256"] for k in json.loads(document)["spec"]["apiKeys"]] == [sha256(key)]
    assert key not in document


def test_a_second_tenant_of_a_name_is_a_conflict(admin: httpx.Client) -> None:
    create(admin)
    answer = admin.post("/admin/tenants", json={"name": "Acme Corp", "tier": "pro"})
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")


def test_tenants_are_listed_by_name_page_by_page(admin: httpx.Client) -> None:
    for name in ("c", "a", "b"):
        create(admin, name)
    first = admin.get("/admin/tenants", params={"limit": 2}).json()
    assert [t["tenant_id"] for t in first["tenants"]] == ["a", "b"]
    second = admin.get("/admin/tenants", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert ([t["tenant_id"] for t in second["tenants"]], second["next_cursor"]) == (["c"], None)


def test_a_tenant_is_changed_suspended_and_resumed(admin: httpx.Client) -> None:
    create(admin)
    patched = admin.patch("/admin/tenants/acme-corp", json={"tier": "enterprise", "limits": {"burst": 5}})
    assert (patched.status_code, patched.json()["limits"]["burst"]) == (200, 5)
    assert patched.json()["limits"]["requests_per_minute"] == 10_000
    assert admin.post("/admin/tenants/acme-corp/suspend").json()["suspended"] is True
    assert admin.post("/admin/tenants/acme-corp/resume").json()["suspended"] is False


def test_keys_are_created_listed_and_revoked_but_never_the_last(admin: httpx.Client) -> None:
    create(admin)
    keys = "/admin/tenants/acme-corp/keys"
    made = admin.post(keys, json={"name": "reader", "scopes": ["read"], "expires_at": "2030-01-01T00:00:00Z"})
    assert made.status_code == 201
    assert is_well_formed(made.json()["api_key"])
    listed = admin.get(keys)
    assert [(k["name"], k["scopes"]) for k in listed.json()["keys"]] == [
        ("default", ["admin", "read", "write"]),
        ("reader", ["read"]),
    ]
    assert made.json()["api_key"] not in listed.text
    assert admin.post(keys, json={"name": "reader"}).status_code == 409
    assert admin.delete(f"{keys}/default").status_code == 204
    assert admin.delete(f"{keys}/default").status_code == 404
    assert admin.delete(f"{keys}/reader").status_code == 409


def test_a_deleted_tenant_is_gone(admin: httpx.Client, plane: ControlPlane) -> None:
    create(admin)
    assert admin.delete("/admin/tenants/acme-corp").status_code == 202
    assert admin.get("/admin/tenants/acme-corp").status_code == 404
    assert admin.delete("/admin/tenants/acme-corp").status_code == 404
    assert plane.kubectl("get", "mt", "-o", "name") == ""


MANIFESTS = {"keys declared": {"apiKeys": [{"name": "declared"}]}, "no keys declared": {}}
APPLIES = {
    "client-side": (),
    "server-side": ("--server-side", "--force-conflicts", "--field-manager=argocd-controller"),
}


@pytest.mark.parametrize("apply", APPLIES.values(), ids=APPLIES.keys())
@pytest.mark.parametrize("spec", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_an_issued_key_survives_applying_an_unchanged_manifest(
    admin: httpx.Client, plane: ControlPlane, spec: dict[str, Any], apply: tuple[str, ...]
) -> None:
    manifest = {
        "apiVersion": "loci.dev/v1alpha1",
        "kind": "MemoryTenant",
        "metadata": {"name": "gitops"},
        "spec": {"tier": "pro", **spec},
    }
    plane.kubectl("apply", *apply, "-f", "-", stdin=json.dumps(manifest))
    keys = "/admin/tenants/gitops/keys"
    before = [key["name"] for key in admin.get(keys).json()["keys"]]
    assert admin.post(keys, json={"name": "issued"}).status_code == 201
    for _ in range(3):  # a loop that makes the cluster as the file says
        plane.kubectl("apply", *apply, "-f", "-", stdin=json.dumps(manifest))
        assert [key["name"] for key in admin.get(keys).json()["keys"]] == [*before, "issued"]
    managers = json.loads(plane.kubectl("get", "mt", "gitops", "-o", "json", "--show-managed-fields"))
    owners = [e["manager"] for e in managers["metadata"]["managedFields"] if "f:issuedKeys" in e["fieldsV1"]["f:spec"]]
    assert owners == ["loci-admin"]
    assert admin.delete(f"{keys}/issued").status_code == 204
    plane.kubectl("apply", *apply, "-f", "-", stdin=json.dumps(manifest))
    assert [key["name"] for key in admin.get(keys).json()["keys"]] == before


# Method, path, body; the status, and the field that is named.
BAD: dict[str, tuple[str, str, bytes, int, str | None]] = {
    "malformed JSON": ("POST", "/admin/tenants", b'{"name"', 400, None),
    "invalid UTF-8": ("POST", "/admin/tenants", b'{"name": "\xff", "tier": "pro"}', 400, None),
    "wrong type": ("POST", "/admin/tenants", b'{"name": 5, "tier": "pro"}', 422, "body.name"),
    "unknown field": ("POST", "/admin/tenants", b'{"name": "a", "tier": "pro", "teir": 1}', 422, "body.teir"),
    "no name": ("POST", "/admin/tenants", b'{"tier": "pro"}', 422, "body.name"),
    "bad name": ("POST", "/admin/tenants", b'{"name": "!!!", "tier": "pro"}', 422, "body.name"),
    "reserved name": ("POST", "/admin/tenants", b'{"name": "system", "tier": "pro"}', 422, "body.name"),
    "unknown tier": ("POST", "/admin/tenants", b'{"name": "a", "tier": "gold"}', 422, "body.tier"),
    "limits not allowed": (
        "POST",
        "/admin/tenants",
        b'{"name": "a", "tier": "free", "limits": {"burst": 1}}',
        422,
        "body.limits",
    ),
    "negative limit": (
        "POST",
        "/admin/tenants",
        b'{"name": "a", "tier": "enterprise", "limits": {"burst": -1}}',
        422,
        "body.limits.burst",
    ),
    "too large": ("POST", "/admin/tenants", b" " * 70_000, 413, None),
    "wrong method": ("PUT", "/admin/tenants", b"{}", 405, None),
    "unknown path": ("GET", "/admin/nothing", b"", 404, None),
    "unknown tenant": ("PATCH", "/admin/tenants/nobody", b"{}", 404, None),
    "bad query": ("GET", "/admin/tenants?limit=many", b"", 422, "query.limit"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_the_one_error_shape(admin: httpx.Client, case: str) -> None:
    method, path, body, status, field = BAD[case]
    answer = admin.request(method, path, content=body)
    document = answer.json()
    assert answer.status_code == status, answer.text
    assert document.keys() >= {"error", "message", "request_id"}
    assert document["request_id"] == answer.headers["x-request-id"]
    assert [f["field"] for f in document.get("fields", [])] == ([field] if field else [])


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"X-API-Key": ""}, {"Authorization": "x"}])
def test_without_the_admin_key_nothing_is_said(url: str, headers: dict[str, str]) -> None:
    for path in ("/admin/tenants", "/admin/nothing"):
        answer = httpx.get(f"{url}{path}", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


@pytest.mark.invariant(5)
def test_no_key_is_in_the_log(admin: httpx.Client, log: Path) -> None:
    created = create(admin, "quiet")
    assert admin.get("/admin/tenants/quiet").status_code == 200
    text = log.read_text()
    assert '"path":"/admin/tenants/{tenant_id}"' in text
    for secret in (ADMIN_KEY, created["api_key"], sha256(created["api_key"])):
        assert secret not in text
