"""PostgreSQL of a tenant's own: the system of record."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from loci_operator.specs.dedicated.server import CONFIG, DATA, Server, container, mount, probes
from loci_operator.specs.stores import POSTGRES_ADMIN, PostgresAccess, ServerSettings

PORT: Final = 5432
DATABASE: Final = "loci"
SUPERUSER: Final = "postgres"
_USER: Final = 999
"""`postgres` in the official image."""
_CONNECTIONS: Final = "100"


def postgres(settings: ServerSettings, access: PostgresAccess) -> Server:
    """One server with a volume; the data plane's init container makes the tenant's schema in it."""
    script = files(__package__).joinpath("postgres.sh").read_text()
    check = {"exec": {"command": ["pg_isready", "--quiet", "--host=127.0.0.1"]}}
    main = container(
        "postgres",
        settings.image,
        settings.resources,
        command=["sh", "-c", script],
        env=[
            {"name": "MAX_CONNECTIONS", "value": _CONNECTIONS},
            {"name": "PASSWORD_FILE", "value": f"{CONFIG}/{POSTGRES_ADMIN}"},
        ],
        ports=[{"name": "postgres", "containerPort": PORT, "protocol": "TCP"}],
        volumeMounts=[mount("data", DATA), mount("config", CONFIG, read_only=True), mount("tmp", "/tmp")],  # noqa: S108
        **probes(check, start_seconds=600),
    )
    secrets = {POSTGRES_ADMIN: access.admin_password or ""}
    return Server("postgres", PORT, (main,), secrets, user=_USER, grace_seconds=120)


def address(host: str) -> str:
    """The database's address without user and password."""
    return f"postgresql://{host}:{PORT}/{DATABASE}"
