"""The operator behind a connection whose packets are dropped silently: what happens meanwhile is not late for long."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loci_dev.cluster.accounts import account
from loci_dev.cluster.controlplane import ControlPlane
from loci_dev.cluster.tenants import Tenants
from loci_dev.rigs.processes import wait_until
from loci_dev.rigs.silent_proxy import silent_proxy
from loci_kubernetes.watch import BOUND_SECONDS


def test_a_suspension_and_a_repair_come_within_the_bound(
    plane: ControlPlane, tenants: Tenants, start_operator: Callable[..., Any], tmp_path: Path
) -> None:
    config = json.loads(account(plane, "operator").read_text())
    kubeconfig = tmp_path / "proxied.kubeconfig"
    with silent_proxy(int(plane.server.rsplit(":", 1)[1])) as proxy:
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{proxy.port}"
        kubeconfig.write_text(json.dumps(config))
        with start_operator(KUBECONFIG=str(kubeconfig)):
            tenants.apply("muted")
            tenants.settled("muted")
            proxy.silence()
            assert proxy.silenced > 0
            tenants.apply("muted", suspend=True)
            plane.kubectl("delete", "service", "loci-dataplane", "-n", "loci-muted")
            wait_until(lambda: tenants.record("muted")["state"] == "suspended", "it is suspended", BOUND_SECONDS)
            wait_until(
                lambda: tenants.exists("service", "loci-dataplane", "-n", "loci-muted"), "it is back", BOUND_SECONDS
            )
