"""The way to Kubernetes. Import it late: the client takes two seconds and 60 MB."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration


@contextlib.asynccontextmanager
async def kubernetes_client(kubeconfig: Path | None) -> AsyncIterator[ApiClient]:
    """A client as the kubeconfig's user, or as the pod's ServiceAccount when there is none."""
    configuration = Configuration()
    if kubeconfig is not None:
        await config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    else:
        config.load_incluster_config(client_configuration=configuration)
    async with ApiClient(configuration) as client:
        yield client
