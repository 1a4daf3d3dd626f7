"""Composition root of `loci doctor`."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import Parameter
from kubernetes.aio.config import ConfigException

from loci_cli.doctor import report
from loci_cli.doctor.checks import (
    admin_key,
    certificates,
    clock,
    crds,
    dns,
    images,
    isolation,
    permissions,
    propagation,
    stores,
    tenants,
)
from loci_cli.doctor.examination import Check, examine
from loci_cli.doctor.findings import Finding
from loci_cli.doctor.installation import Installation
from loci_contract.names import SYSTEM_NAMESPACE
from loci_kubernetes.api import Api
from loci_kubernetes.connection import connection

CHECKS: Final[dict[str, Check]] = {
    "clock": clock.check,
    "crds": crds.check,
    "permissions": permissions.check,
    "images": images.check,
    "admin key": admin_key.check,
    "certificates": certificates.check,
    "dns": dns.check,
    "stores": stores.check,
    "isolation": isolation.check,
    "tenants": tenants.check,
}
_DEFAULT_KUBECONFIG: Final = Path("~/.kube/config")
_IN_CLUSTER: Final = "KUBERNETES_SERVICE_HOST"
_USAGE_ERROR: Final = 2


def doctor(
    *,
    namespace: Annotated[str, Parameter(help="Namespace that Loci is installed in.")] = SYSTEM_NAMESPACE,
    kubeconfig: Annotated[
        Path | None,
        Parameter(
            help="Kubeconfig; default: KUBECONFIG, ~/.kube/config, or the pod's ServiceAccount.", show_default=False
        ),
    ] = None,
    output: Annotated[Literal["table", "json"], Parameter(help="Format of the findings.")] = "table",
    propagation_tenant: Annotated[
        str | None, Parameter(help="Measure with a new key of this tenant how soon keys are accepted and rejected.")
    ] = None,
    ingress_url: Annotated[
        str | None, Parameter(help="Base URL of the ingress, to measure with; default: its Service.")
    ] = None,
) -> None:
    """Check an installation and say how to fix what is wrong; the exit code is 1 if a check failed."""
    checks = dict(CHECKS)
    if propagation_tenant:
        checks["propagation"] = partial(propagation.check, tenant=propagation_tenant, ingress_url=ingress_url)
    try:
        findings = asyncio.run(_examine(_found(kubeconfig), namespace, checks))
    except (ConfigException, OSError) as error:
        print(f"loci: no access to a cluster: {error}; see --kubeconfig", file=sys.stderr)  # noqa: T201 - for the user
        raise SystemExit(_USAGE_ERROR) from None
    print(report.document(findings) if output == "json" else report.table(findings))  # noqa: T201 - the result
    raise SystemExit(int(report.has_failed(findings)))


async def _examine(kubeconfig: Path | None, namespace: str, checks: dict[str, Check]) -> list[Finding]:
    is_inside = kubeconfig is None or _IN_CLUSTER in os.environ
    async with connection(kubeconfig) as made:
        api = Api(made, "loci-doctor")
        return await examine(Installation(made, api, namespace, is_inside, partial(datetime.now, UTC)), checks)


def _found(given: Path | None) -> Path | None:
    if given or (named := os.environ.get("KUBECONFIG")):
        return given or Path(str(named))
    default = _DEFAULT_KUBECONFIG.expanduser()
    return default if default.exists() else None
