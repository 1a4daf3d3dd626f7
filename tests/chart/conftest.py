"""The ways in which the chart is installed, and a real API server that has it."""

from collections.abc import Iterator
from typing import Any

import pytest

from loci_dev import chart
from loci_dev.cluster.controlplane import ControlPlane, control_plane

VARIANTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "no network policies": {"networkPolicy": {"enabled": False}},
    "external redis": {"redis": {"enabled": False, "existingSecret": "my-redis"}},
    "own redis password": {"redis": {"existingSecret": "my-redis"}},
    "own admin key": {"admin": {"existingSecret": "my-admin-key"}},
    "many replicas": {"ingress": {"replicas": 3, "service": {"type": "LoadBalancer"}}, "embedder": {"replicas": 2}},
    "by digest": {"image": {"digest": "sha256:" + "0" * 64}},
}


@pytest.fixture(params=list(VARIANTS.values()), ids=list(VARIANTS))
def values(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Values for the chart, one variant after the other."""
    variant: dict[str, Any] = request.param
    return variant


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with the chart installed, as each test leaves it."""
    with control_plane(tmp_path_factory.mktemp("plane")) as running_plane:
        chart.install(running_plane.kubeconfig)
        yield running_plane
