"""Permissions of the operator's ServiceAccount, by SubjectAccessReviews.

The table is the chart's `files/operator-rules.yaml`; a test keeps them equal. There is one review
per resource and verb, about 70 in all.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from loci_cli.doctor.findings import Finding, failed, ok
from loci_cli.doctor.installation import Installation
from loci_contract.names import GROUP
from loci_kubernetes.kinds import Kind

_NAME: Final = "permissions"
_REVIEW: Final = Kind("authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False)
_ACCOUNT: Final = "loci-operator"
_FIX: Final = "Restore the chart's roles with `helm upgrade`, and see which policy or person changed them."
_SHOWN: Final = 5
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Access:
    """Verbs on a resource; `name` limits them to one object."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    name: str = ""


def _access(group: str, resources: str, verbs: str, name: str = "") -> tuple[Access, ...]:
    return tuple(Access(group, resource, tuple(verbs.split()), name) for resource in resources.split())


EVERYWHERE: Final = (
    *_access(GROUP, "memorytenants", "get list watch patch"),
    *_access(GROUP, "memorytiers", "list watch"),
    *_access(GROUP, "memorytenants/status", "patch"),
    *_access(GROUP, "memorytenants/finalizers", "update"),
    *_access("", "namespaces", "get list watch create patch"),
    *_access("", "configmaps limitranges resourcequotas serviceaccounts services", "list watch create patch"),
    *_access("", "secrets", "get list watch create patch"),
    *_access("", "pods events", "list watch"),
    *_access("", "persistentvolumeclaims", "list watch patch"),
    *_access("storage.k8s.io", "storageclasses", "get"),
    *_access("events.k8s.io", "events", "create"),
    *_access("apps", "deployments statefulsets", "list watch create patch delete"),
    *_access("networking.k8s.io", "networkpolicies", "list watch create patch"),
    *_access("policy", "poddisruptionbudgets", "list watch create patch"),
)
IN_SYSTEM_NAMESPACE: Final = (
    *_access("", "secrets", "delete"),
    *_access("coordination.k8s.io", "leases", "create"),
    *_access("coordination.k8s.io", "leases", "get patch", _ACCOUNT),
)


async def check(installation: Installation) -> list[Finding]:
    """Ask for each permission that the operator needs."""
    scopes = (("", EVERYWHERE), (installation.namespace, IN_SYSTEM_NAMESPACE))
    wanted = [(access, verb, scope) for scope, table in scopes for access in table for verb in access.verbs]
    places = asyncio.Semaphore(_AT_ONCE)
    allowed = await asyncio.gather(*(_is_allowed(installation, places, *one) for one in wanted))
    missing = [_described(*one) for one, is_allowed in zip(wanted, allowed, strict=True) if not is_allowed]
    if not missing:
        return [ok(_NAME, f"The operator has the {len(wanted)} permissions that it needs.")]
    shown = ", ".join(missing[:_SHOWN]) + (f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else "")
    return [failed(_NAME, f"The operator's ServiceAccount {_ACCOUNT} may not {shown}.", _FIX)]


async def _is_allowed(
    installation: Installation, places: asyncio.Semaphore, access: Access, verb: str, scope: str
) -> bool:
    resource, _, subresource = access.resource.partition("/")
    attributes = {"group": access.group, "resource": resource, "subresource": subresource, "verb": verb}
    spec = {
        "user": f"system:serviceaccount:{installation.namespace}:{_ACCOUNT}",
        "groups": [
            "system:serviceaccounts",
            f"system:serviceaccounts:{installation.namespace}",
            "system:authenticated",
        ],
        "resourceAttributes": {**attributes, "name": access.name, "namespace": scope},
    }
    review = {"apiVersion": _REVIEW.api_version, "kind": _REVIEW.name, "metadata": {}, "spec": spec}
    async with places:
        answer = await installation.api.create(_REVIEW, review)
    return bool(answer["status"]["allowed"])


def _described(access: Access, verb: str, scope: str) -> str:
    resource = f"{access.resource}.{access.group}" if access.group else access.resource
    return f"{verb} {resource}{f' in {scope}' if scope else ''}"
