"""`loci serve`: run everything in one process on one port."""

from __future__ import annotations

import socket
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from loci_contract import keys
from loci_embedder.manifest import ModelError
from loci_policy.cors import Cors
from loci_runtime import serving
from loci_runtime.tracing import Traced, exporting
from loci_standalone.compose import Options, standalone
from loci_standalone.errors import StartError
from loci_standalone.protocol import JsonH11
from loci_standalone.settings import Settings
from loci_standalone.start import DataFolder, data_folder, existing_folder, listen

USAGE_ERROR: Final = 2
_SHOWN: Final = 10


def serve(  # noqa: PLR0913 - the command's options
    *,
    data: Annotated[Path, Parameter(help="Data folder; created if missing.")],
    port: Annotated[int, Parameter(help="Port to listen on; 0 picks a free one.")] = 8080,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    cors_origins: Annotated[
        str | None, Parameter(help="Web origins allowed to call the API (CORS); `*` allows all.")
    ] = None,
    otlp_endpoint: Annotated[
        str | None, Parameter(help="OTLP/HTTP collector that spans are exported to, such as http://localhost:4318.")
    ] = None,
    tenants: Annotated[Path | None, Parameter(help="Folder of MemoryTenant YAML files to apply and follow.")] = None,
) -> None:
    """Run everything in one process on one port. The admin key is LOCI_ADMIN_KEY, or generated and printed once."""
    given: dict[str, Any] = {"cors_origins": cors_origins, "otlp_endpoint": otlp_endpoint}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    try:
        with data_folder(data) as folder, listen(host, port) as listening:
            declared = existing_folder(tenants) if tenants else None
            traced = exporting("loci", settings.otlp_endpoint)
            serving.run(_serve(settings, folder, listening, declared), settings, traced)
    except (StartError, ModelError) as error:
        _tell(str(error))
        raise SystemExit(USAGE_ERROR) from None


async def _serve(settings: Settings, folder: DataFolder, listening: socket.socket, declared: Path | None) -> None:
    admin_key = settings.admin_key.get_secret_value() if settings.admin_key else keys.generate_token()
    options = Options(keys.sha256(admin_key), Cors(settings.cors_origins), settings.model)
    async with standalone(folder, declared, options, _tell) as running:
        host, port = listening.getsockname()[:2]
        names = [tenant.metadata.name for tenant in await running.store.all()]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        _tell(f"version {version('loci-memory')} serving on http://{address}, data in {folder.path}")
        _tell(f"tenants: {_listed(names)}; create one with POST /admin/tenants")
        if settings.admin_key is None:
            _tell(f"admin key, generated for this run and not stored (set LOCI_ADMIN_KEY to choose one): {admin_key}")
        beside = running.declared.follow() if running.declared else None
        await serving.serve(Traced(running.app, "api_gateway"), beside, sockets=[listening], http=JsonH11)


def _listed(names: list[str]) -> str:
    shown, more = names[:_SHOWN], len(names) - _SHOWN
    return (", ".join(shown) or "none yet") + (f" and {more} more" if more > 0 else "")


def _tell(message: str) -> None:
    """Print a message for the user to stderr; logs go to stdout."""
    print(f"loci: {message}", file=sys.stderr, flush=True)  # noqa: T201 - see above
