"""Propagation time: how soon the ingress accepts a new key, and rejects it once revoked.

It creates a read-only key through the admin API, and revokes it in any case.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import httpx

from loci_cli.doctor.findings import Finding, failed, ok, skipped, warning
from loci_cli.doctor.installation import FaultError, Installation, Reference

_NAME: Final = "propagation"
_LIMIT: Final = 1.0
"""Seconds within which every replica of the ingress rejects a revoked key (docs/architecture.md, invariant 4)."""
_SECONDS: Final = 15.0
_PAUSE: Final = 0.02
_FIX: Final = "See docs/runbooks/LociKeyPropagationSlow.md."


async def check(installation: Installation, *, tenant: str, ingress_url: str | None) -> list[Finding]:
    """Measure with a key of the tenant."""
    url = ingress_url or f"http://loci-ingress.{installation.namespace}.svc"
    try:
        host = httpx.URL(url).host
    except httpx.InvalidURL:
        raise FaultError("The URL of the ingress is invalid.", "Correct --ingress-url.") from None
    if not installation.reaches(host):
        return [skipped(_NAME, "The ingress can be reached from within the cluster alone.", "Give --ingress-url.")]
    admin = {"authorization": f"Bearer {await _admin_key(installation)}"}
    try:
        async with httpx.AsyncClient(base_url=url, timeout=_SECONDS) as client:
            return [judged(*await _measured(client, admin, tenant))]
    except httpx.HTTPError as error:
        return [failed(_NAME, f"The ingress at {url} does not answer: {type(error).__name__}.", "Check its pods.")]
    except TimeoutError:
        return [failed(_NAME, f"A change of a key was not obeyed within {_SECONDS:g} s.", _FIX)]


def judged(accepted: float, rejected: float) -> Finding:
    """The finding for the seconds until the key was accepted, and rejected after its revocation."""
    message = f"A new key was accepted after {accepted:.2f} s, and rejected {rejected:.2f} s after its revocation."
    if rejected > _LIMIT:
        return failed(_NAME, message, _FIX)
    return warning(_NAME, message, _FIX) if accepted > _LIMIT else ok(_NAME, message)


async def _measured(client: httpx.AsyncClient, admin: dict[str, str], tenant: str) -> tuple[float, float]:
    name, path = f"doctor-{secrets.token_hex(4)}", f"/admin/tenants/{tenant}/keys"
    created = await client.post(path, headers=admin, json={"name": name, "scopes": ["read"]})
    if created.status_code != HTTPStatus.CREATED:
        raise FaultError(
            f"The admin API creates no key: status {created.status_code}.", "Check the admin key and the tenant."
        )
    own = {"authorization": f"Bearer {created.json()['api_key']}"}
    try:
        accepted = await _until(client, own, lambda status: status != HTTPStatus.UNAUTHORIZED)
    finally:
        await client.delete(f"{path}/{name}", headers=admin)
    return accepted, await _until(client, own, lambda status: status == HTTPStatus.UNAUTHORIZED)


async def _until(client: httpx.AsyncClient, own: dict[str, str], is_obeyed: Callable[[int], bool]) -> float:
    """Seconds until the ingress answers so."""
    started = time.monotonic()
    async with asyncio.timeout(_SECONDS):
        while not is_obeyed((await client.get("/v1/usage", headers=own)).status_code):  # noqa: ASYNC110 - the ingress tells nobody
            await asyncio.sleep(_PAUSE)
    return time.monotonic() - started


async def _admin_key(installation: Installation) -> str:
    if given := os.environ.get("LOCI_ADMIN_KEY"):
        return given
    reference = await installation.reference("admin", "LOCI_ADMIN_KEY_SHA256")
    if reference is None:
        raise FaultError("The admin key is unknown.", "Set LOCI_ADMIN_KEY.")
    return await installation.secret_value(Reference(reference.secret, "key"))
