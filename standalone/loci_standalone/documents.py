"""Read and write `MemoryTenant` documents as YAML files, both declared and stored ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from loci_contract.names import TENANT_NAME_RULE, is_tenant_name
from loci_resources.tenant import MemoryTenant
from loci_standalone.errors import TenantRefusedError
from loci_standalone.files import write_private


def read(path: Path) -> list[MemoryTenant]:
    """Tenants in a YAML file.

    Raises:
        TenantRefusedError: the file is invalid; the message names the field and what is allowed, but no values.
    """
    try:
        return [_tenant(document) for document in _documents(path)]
    except TenantRefusedError as error:
        raise TenantRefusedError(f"{path}: {error}") from None


def write(path: Path, tenant: MemoryTenant) -> None:
    """Write a tenant's document durably and atomically."""
    document = tenant.document()
    document.pop("status", None)
    write_private(path, yaml.safe_dump(document, sort_keys=False))


def _documents(path: Path) -> list[Any]:
    try:
        found = [document for document in yaml.safe_load_all(path.read_text()) if document is not None]
    except Exception as error:  # YAML constructors may raise any exception for an odd value
        raise TenantRefusedError(f"invalid YAML{_place(error)}") from error
    if not found:
        raise TenantRefusedError("the file contains no tenant; to delete a tenant, delete its file")
    return found


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f", see line {mark.line + 1}" if mark else ""


def _tenant(document: Any) -> MemoryTenant:
    try:
        tenant = MemoryTenant.model_validate(_as_written(document), extra="forbid")
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
        problems = (f"{'.'.join(map(str, e['loc'])) or 'the document'}: {e['msg']}" for e in found)
        raise TenantRefusedError("; ".join(problems)) from None
    if not is_tenant_name(tenant.metadata.name):
        raise TenantRefusedError(f"metadata.name: must be {TENANT_NAME_RULE}")
    return tenant


def _as_written(document: Any) -> Any:
    """The document without cluster-managed fields; any other unknown field is an error."""
    if not isinstance(document, dict) or not isinstance(metadata := document.get("metadata"), dict):
        return document
    kept = {key: value for key, value in document.items() if key != "status"}
    return {**kept, "metadata": {key: metadata[key] for key in ("name", "annotations") if key in metadata}}
