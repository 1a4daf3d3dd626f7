"""Tenants' documents: what is read from people's files, what is kept, and how."""

from __future__ import annotations

from pathlib import Path

import pytest

from loci_resources.base import ObjectMeta
from loci_resources.tenant import ApiKey, MemoryTenant, MemoryTenantSpec
from loci_standalone import documents
from loci_standalone.errors import TenantRefusedError
from loci_standalone.files import write_private

ACME = MemoryTenant(
    metadata=ObjectMeta(name="acme", annotations={"team": "blue"}),
    spec=MemoryTenantSpec(tier="pro", api_keys=(ApiKey(name="default", sha256="a" * 64),)),
)


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    documents.write(path, ACME)
    assert documents.read(path) == [ACME]


def test_what_is_kept_is_nobody_elses_to_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in ("old", "new"):
        write_private(path, content)
        assert (path.read_text(), path.stat().st_mode & 0o777) == (content, 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_may_hold_several_tenants(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text("---\nmetadata: {name: a}\nspec: {tier: free}\n---\n---\nmetadata: {name: b}\nspec: {tier: pro}\n")
    assert [tenant.metadata.name for tenant in documents.read(path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: [1", "invalid YAML, see line 1"),
        (b"\xff\xfe\xff", "invalid YAML"),
        (b"!!python/object/apply:os.system [true]", "invalid YAML"),
        (b"- 1", "MemoryTenant"),
        (b"kind: Secret\nmetadata: {name: a}\nspec: {tier: free}", "kind: Input should be 'MemoryTenant'"),
        (b"", "the file contains no tenant"),
        (b"# nothing\n---\n", "the file contains no tenant"),
        (b"metadata: {name: a}\nspec: {tier: free, dispalyName: A}", "spec.dispalyName: Extra inputs"),
        (b"metadata: {name: a}\nspec: {}", "spec.tier: Field required"),
        (b"metadata: {name: ../a}\nspec: {tier: free}", "metadata.name: must be 1 to 40 characters"),
        (b"metadata: {name: a}\nspec: {tier: free, apiKeys: [{name: k, sha256: secret}]}", "spec.apiKeys.0.sha256"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_field(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "acme.yaml"
    path.write_bytes(content)
    with pytest.raises(TenantRefusedError) as refused:
        documents.read(path)
    assert str(path) in str(refused.value)
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)


def test_what_a_cluster_adds_to_a_document_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    metadata = "{name: a, uid: u, labels: {x: y}, creationTimestamp: 2026-01-01T00:00:00Z}"
    path.write_text(f"metadata: {metadata}\nspec: {{tier: free}}\nstatus: {{phase: Ready}}\n")
    assert [tenant.metadata.name for tenant in documents.read(path)] == ["a"]
