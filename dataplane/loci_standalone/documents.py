"""`MemoryTenant` documents as YAML files: reading what people write, and what this process keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from loci_contract.names import TENANT_NAME_RULE, is_tenant_name
from loci_operator.api.tenant import MemoryTenant
from loci_standalone.errors import TenantRefusedError
from loci_standalone.files import write_private


def read(path: Path) -> list[MemoryTenant]:
    """The tenants that a YAML file describes.

    Raises:
        TenantRefusedError: it cannot be read; the message names the field and what is allowed, never a value.
    """
    try:
        return [_tenant(document) for document in _documents(path)]
    except TenantRefusedError as error:
        raise TenantRefusedError(f"{path}: {error}") from None


def write(path: Path, tenant: MemoryTenant) -> None:
    """Keep a tenant's document, durably and in one step."""
    document = tenant.document()
    document.pop("status", None)
    write_private(path, yaml.safe_dump(document, sort_keys=False))


def _documents(path: Path) -> Iterator[Any]:
    try:
        yield from (document for document in yaml.safe_load_all(path.read_text()) if document is not None)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TenantRefusedError(f"it is not readable as YAML{_place(error)}") from error


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f", see line {mark.line + 1}" if mark else ""


def _tenant(document: Any) -> MemoryTenant:
    try:
        tenant = MemoryTenant.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
        raise TenantRefusedError("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in found)) from None
    if not is_tenant_name(tenant.metadata.name):
        raise TenantRefusedError(f"metadata.name: must be {TENANT_NAME_RULE}")
    return tenant
