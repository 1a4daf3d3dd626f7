"""Security contexts of all pods: Pod Security `restricted`, and nothing writable but what is mounted."""

from __future__ import annotations

from typing import Any, Final

LOCI_USER: Final = 65532
"""User and group of Loci's own image, and of images that run as any user."""


def pod_security(user: int = LOCI_USER) -> dict[str, Any]:
    """Security context of a pod whose containers run as this user and group, and whose volumes are the group's."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> dict[str, Any]:
    """Security context of a container."""
    return {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
