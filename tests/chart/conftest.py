"""The ways in which the chart is installed."""

from typing import Any

import pytest

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
