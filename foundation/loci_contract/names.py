"""Kubernetes names, labels and ports shared by several processes."""

from __future__ import annotations

import re
from typing import Final

GROUP: Final = "loci.dev"
VERSION: Final = "v1alpha1"
SYSTEM_NAMESPACE: Final = "loci-system"

LABEL_TENANT: Final = f"{GROUP}/tenant"
LABEL_REGISTRY: Final = f"{GROUP}/registry"
REGISTRY_TENANT: Final = "tenant"
"""Value of LABEL_REGISTRY on registry Secrets, which the policy watches."""
REGISTRY_DATA_KEY: Final = "record.json"
"""Data key of a registry Secret that contains the RegistryRecord as JSON."""

API_KEYS_SECRET: Final = "loci-api-keys"  # noqa: S105 - an object's name
"""Name of the Secret in a tenant's namespace with its generated API keys, one data entry per key name."""
DEFAULT_KEY_NAME: Final = "default"

DATAPLANE_PORT: Final = 8080
EMBEDDER_PORT: Final = 8081
ADMIN_PORT: Final = 8082

TENANT_NAME_MAX: Final = 40
TENANT_NAME_PATTERN: Final = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
TENANT_NAME_RULE: Final = (
    f"1 to {TENANT_NAME_MAX} characters: lower-case letters, digits and '-', starting with a letter, "
    "ending with a letter or digit"
)
RESERVED_TENANT_NAMES: Final = frozenset({"system"})
"""Tenant names that are reserved, because their namespace (`loci-<name>`) belongs to the platform."""


def is_tenant_name(name: str) -> bool:
    """Whether a string is a valid tenant name."""
    return (
        len(name) <= TENANT_NAME_MAX
        and re.fullmatch(TENANT_NAME_PATTERN, name) is not None
        and name not in RESERVED_TENANT_NAMES
    )


def namespace(tenant: str) -> str:
    """Namespace of a tenant."""
    return f"loci-{tenant}"


def registry_secret(tenant: str) -> str:
    """Name of a tenant's registry Secret in the system namespace."""
    return f"registry-{tenant}"
