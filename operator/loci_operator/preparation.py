"""`loci prepare-stores`: prepares a tenant's own stores before its data plane starts, as the pod's init container.

It makes the tenant's schema and roles in PostgreSQL, migrates the schema, and makes the collection in Chroma, whose id
it leaves in a file. All of it can be repeated: each new pod does, which also brings a schema up to date after an
upgrade. Pods that start together take turns, by a lock in PostgreSQL. A store that is not there yet is waited for; one
that refuses ends the process, so that the pod's status tells.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import aiohttp
import asyncpg
import structlog
from pydantic import Field, model_validator

from loci_operator.provision.chroma.provisioner import ChromaProvisioner
from loci_operator.provision.ports import StoreAwayError
from loci_operator.provision.postgres.provisioner import PostgresProvisioner, Server
from loci_runtime.backoff import Backoff
from loci_runtime.serving import run
from loci_runtime.settings import ProcessSettings

_BACKOFF: Final = Backoff(first=0.5, longest=5.0)
_LOCK: Final = 0x10C1
_TIMEOUT: Final = 30.0


class Settings(ProcessSettings):
    """Settings of `loci prepare-stores`; a store without an address is left alone."""

    tenant: str = Field(description="Name of the tenant.")
    postgres_dsn_file: Path | None = Field(None, description="File with the tenant's address of PostgreSQL.")
    postgres_admin_user: str = Field("postgres", description="Superuser of that server.")
    postgres_admin_password_file: Path | None = Field(None, description="File with the superuser's password.")
    chroma_url: str = Field("", description="Base URL of the gate before Chroma.")
    chroma_token_file: Path | None = Field(None, description="File with the token for that gate.")
    chroma_collection_file: Path | None = Field(None, description="File to write the collection's id to.")

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if (self.postgres_dsn_file is None) != (self.postgres_admin_password_file is None):
            raise ValueError("LOCI_POSTGRES_DSN_FILE and LOCI_POSTGRES_ADMIN_PASSWORD_FILE go together")
        if (
            len({bool(self.chroma_url), self.chroma_token_file is not None, self.chroma_collection_file is not None})
            > 1
        ):
            raise ValueError("LOCI_CHROMA_URL, LOCI_CHROMA_TOKEN_FILE and LOCI_CHROMA_COLLECTION_FILE go together")
        return self


def main() -> None:
    """Run until the stores are prepared."""
    settings = Settings()
    run(prepare(settings), settings)


async def prepare(settings: Settings) -> None:
    """Prepare the stores; raises ProvisionError if one refuses."""
    if settings.postgres_dsn_file and settings.postgres_admin_password_file:
        dsn, admin = _secret(settings.postgres_dsn_file), _secret(settings.postgres_admin_password_file)
        await _once_it_answers("postgres", lambda: _prepare_postgres(settings, dsn, admin))
    if settings.chroma_token_file and settings.chroma_collection_file:
        token, file = _secret(settings.chroma_token_file), settings.chroma_collection_file
        await _once_it_answers("chroma", lambda: _prepare_chroma(settings, token, file))
    structlog.get_logger().info("stores prepared", tenant_id=settings.tenant)


async def _prepare_postgres(settings: Settings, dsn: str, admin_password: str) -> None:
    admin = _with_user(dsn, settings.postgres_admin_user, admin_password)
    postgres = PostgresProvisioner(Server(admin))
    async with _turn(admin):
        await postgres.prepare()
        await postgres.create(settings.tenant, unquote(urlsplit(dsn).password or ""))


async def _prepare_chroma(settings: Settings, token: str, file: Path) -> None:
    async with aiohttp.ClientSession() as session:
        collection = await ChromaProvisioner(session, settings.chroma_url, token).create(settings.tenant)
    await asyncio.to_thread(file.write_text, str(collection))


async def _once_it_answers(store: str, work: Callable[[], Awaitable[None]]) -> None:
    failures = 0
    while True:
        try:
            return await work()
        except StoreAwayError as error:
            failures += 1
            structlog.get_logger().info("waiting for a store", store=store, error=str(error))
            await asyncio.sleep(_BACKOFF.delay(failures))


@contextlib.asynccontextmanager
async def _turn(dsn: str) -> AsyncIterator[None]:
    """Hold a lock that excludes other pods: concurrent grants in one database fail."""
    try:
        connection = await asyncpg.connect(dsn, timeout=_TIMEOUT)
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError) as error:
        raise StoreAwayError(f"PostgreSQL is unavailable: {type(error).__name__}") from error
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        yield
    finally:
        await connection.close(timeout=_TIMEOUT)


def _with_user(dsn: str, user: str, password: str) -> str:
    address = urlsplit(dsn)
    host = address.netloc.rpartition("@")[2]
    return urlunsplit(address._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{host}"))


def _secret(path: Path) -> str:
    return path.read_text().strip()


if __name__ == "__main__":
    main()
