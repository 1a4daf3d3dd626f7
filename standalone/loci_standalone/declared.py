"""`--tenants DIR`: tenants declared as YAML files, applied at the start and whenever a file changes; the files win."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from watchfiles import awatch

from loci_contract import keys
from loci_contract.names import GROUP
from loci_resources.base import ObjectMeta
from loci_resources.tenant import MemoryTenant
from loci_standalone import documents
from loci_standalone.errors import TenantRefusedError
from loci_standalone.files import write_private
from loci_standalone.store import FolderStore

DECLARED: Final = f"{GROUP}/declared"
"""Annotation on what is kept of a tenant that came from a file: it goes when its file goes."""

Stamps = dict[Path, tuple[int, int, int]]

_LOOK_AGAIN_MS: Final = 1_000


class DeclaredTenants:
    """Makes the kept tenants what the files say; `tell` hears of new keys and of what is wrong."""

    def __init__(self, folder: Path, keys_folder: Path, store: FolderStore, tell: Callable[[str], None]) -> None:
        self._folder = folder
        self._keys_folder = keys_folder
        self._store = store
        self._tell = tell
        self._applied: Stamps = {}

    async def follow(self) -> None:
        """Apply the files after each change, for ever; also one that came before its watch was set up."""
        async for _ in awatch(self._folder, recursive=False, rust_timeout=_LOOK_AGAIN_MS, yield_on_timeout=True):
            if self._stamps() != self._applied:
                await self.apply()

    async def apply(self) -> None:
        """Apply the files as they are now; what is wrong with one does not stop the others."""
        self._applied = self._stamps()
        declared, all_read = self._read()
        for tenant in declared.values():
            try:
                await self._put(tenant)
            except TenantRefusedError as error:
                self._tell(f"tenant {tenant.metadata.name} is left as it was: {error}")
            except Exception as error:  # noqa: BLE001 - the edge of one tenant's stores: they must not stop another's
                self._tell(f"tenant {tenant.metadata.name} cannot be taken up ({type(error).__name__})")
        if all_read:  # else a tenant may be missing only because its file cannot be read
            await self._prune(declared)

    def _files(self) -> list[Path]:
        return sorted(path for end in ("yaml", "yml") for path in self._folder.glob(f"*.{end}") if path.is_file())

    def _stamps(self) -> Stamps:
        """What tells a file from the same one before a change."""
        stamps: Stamps = {}
        for path in self._files():
            with contextlib.suppress(OSError):
                found = path.stat()
                stamps[path] = (found.st_ino, found.st_mtime_ns, found.st_size)
        return stamps

    def _read(self) -> tuple[dict[str, MemoryTenant], bool]:
        """The tenants that the files describe, and whether those are all that people mean."""
        found: dict[str, MemoryTenant] = {}
        all_read = self._folder.is_dir()
        if not all_read:
            self._tell(f"{self._folder} is gone: its tenants are left as they were")
        for path in self._files():
            try:
                for tenant in documents.read(path):
                    _add(found, tenant, path)
            except TenantRefusedError as error:
                all_read = False
                self._tell(f"skipped {error}")
        return found, all_read

    async def _put(self, declared: MemoryTenant) -> None:
        name = declared.metadata.name
        held = await self._store.get(name)
        known = {key.name: key.sha256 for key in held.spec.keys_in_force} if held else {}
        # Keys that the admin API issued stay, whatever the file says.
        issued = held.spec.issued_keys if held else ()
        wanted = declared.spec.keys_in_force
        made = {key.name: keys.generate(name) for key in wanted if not (key.sha256 or known.get(key.name))}
        api_keys = tuple(
            key.model_copy(update={"sha256": key.sha256 or known.get(key.name) or keys.sha256(made[key.name])})
            for key in wanted
        )
        annotations = {**declared.metadata.annotations, DECLARED: "true"}
        tenant = MemoryTenant(
            metadata=ObjectMeta(name=name, annotations=annotations),
            spec=declared.spec.model_copy(update={"api_keys": api_keys, "issued_keys": issued}),
        )
        if held is None or (held.spec, held.metadata.annotations) != (tenant.spec, annotations):
            kept = self._keep(name, made)  # first: once its hash is kept, a key is made no more
            await self._store.put(tenant)
            for key, path in kept.items():
                self._tell(f"made the key {key!r} of tenant {name}: it is in {path}")

    def _keep(self, tenant: str, made: dict[str, str]) -> dict[str, Path]:
        """Write keys to files; their paths by the keys' names."""
        paths = {name: self._keys_folder / f"{tenant}.{name}.key" for name in made}
        for name, key in made.items():
            write_private(paths[name], f"{key}\n")
        return paths

    async def _prune(self, declared: Iterable[str]) -> None:
        for tenant in await self._store.all():
            if DECLARED in tenant.metadata.annotations and tenant.metadata.name not in declared:
                self._tell(f"tenant {tenant.metadata.name} is no longer declared: deleted")
                await self._store.delete(tenant.metadata.name)


def _add(found: dict[str, MemoryTenant], tenant: MemoryTenant, path: Path) -> None:
    name = tenant.metadata.name
    if name in found:
        raise TenantRefusedError(f"{path}: metadata.name: {name} is declared more than once")
    found[name] = tenant
