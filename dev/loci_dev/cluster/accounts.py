"""ServiceAccounts with exactly the RBAC rules of the chart, for processes that run beside a control plane."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from loci_contract.names import SYSTEM_NAMESPACE
from loci_dev.chart import CHART
from loci_dev.cluster.controlplane import ControlPlane


def account(plane: ControlPlane, component: str) -> Path:
    """Create a component's ServiceAccount with the chart's rules and return its kubeconfig."""
    rules = yaml.safe_load((CHART / "files" / f"{component}-rules.yaml").read_text())
    name = f"loci-{component}"
    subject = {"kind": "ServiceAccount", "name": name, "namespace": SYSTEM_NAMESPACE}
    items: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": SYSTEM_NAMESPACE}}
    ]
    roles: tuple[tuple[str, dict[str, str], list[Any]], ...] = (
        ("ClusterRole", {}, rules["clusterRules"]),
        ("Role", {"namespace": SYSTEM_NAMESPACE}, rules["systemRules"]),
    )
    for kind, where, granted in roles:
        api = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name, **where}}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
        items += [
            {**api, "kind": kind, "rules": granted},
            {**api, "kind": f"{kind}Binding", "roleRef": reference, "subjects": [subject]},
        ]
    plane.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return plane.kubeconfig_for(SYSTEM_NAMESPACE, name)
