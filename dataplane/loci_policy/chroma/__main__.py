"""`loci chroma-gate`: answers Envoy on a unix socket who may do what on a shared Chroma server."""

from __future__ import annotations

from loci_kubernetes.api import api
from loci_policy.chroma.server import GateApp
from loci_policy.chroma.sources import follow_folder, follow_secrets
from loci_policy.settings import ChromaGateSettings
from loci_runtime.serving import run, serve


def main() -> None:
    """Run until a signal stops the process."""
    settings = ChromaGateSettings()
    run(_serve(settings), settings)


async def _serve(settings: ChromaGateSettings) -> None:
    app, socket = GateApp(settings.provisioner_sha256), str(settings.gate_socket)
    if settings.collections_folder is not None:
        beside = follow_folder(settings.collections_folder, app.publish)
        await serve(app, beside=beside, uds=socket, date_header=False)
        return
    async with api(settings.kubeconfig, manager="loci-chroma-gate") as calls:
        beside = follow_secrets(calls, settings.system_namespace, app.publish)
        await serve(app, beside=beside, uds=socket, date_header=False)


if __name__ == "__main__":
    main()
