"""`--tenants DIR`: apply tenants declared in YAML files, at startup and after each change; files take precedence.

The folder is reconciled as a whole: after any change all files are read, every declared tenant is applied, and tenants
whose declaration is gone are deleted. Nothing is deleted while a file is invalid or the folder is missing,
since a tenant may then only seem to be undeclared. An invalid file is reported and does not affect the others.
"""

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
"""Annotation on the stored document of a declared tenant, which is deleted when its file is."""

Stamps = dict[Path, tuple[int, int, int]]

_LOOK_AGAIN_MS: Final = 1_000


class DeclaredTenants:
    """Reconciles stored tenants with the files; `tell` receives new keys and errors."""

    def __init__(self, folder: Path, keys_folder: Path, store: FolderStore, tell: Callable[[str], None]) -> None:
        self._folder = folder
        self._keys_folder = keys_folder
        self._store = store
        self._tell = tell
        self._applied: Stamps = {}

    async def follow(self) -> None:
        """Apply the files after each change, including changes made before the watch was set up."""
        async for _ in awatch(self._folder, recursive=False, rust_timeout=_LOOK_AGAIN_MS, yield_on_timeout=True):
            if self._stamps() != self._applied:
                await self.apply()

    async def apply(self) -> None:
        """Apply the current files; an error in one does not stop the others."""
        self._applied = self._stamps()
        declared, all_read = self._read()
        for tenant in declared.values():
            try:
                await self._put(tenant)
            except TenantRefusedError as error:
                self._tell(f"tenant {tenant.metadata.name} is unchanged: {error}")
            except Exception as error:  # noqa: BLE001 - the edge of one tenant's stores: they must not stop another's
                self._tell(f"tenant {tenant.metadata.name} cannot be applied ({type(error).__name__})")
        if all_read:  # otherwise a tenant may be missing only because its file is invalid
            await self._prune(declared)

    def _files(self) -> list[Path]:
        return sorted(path for end in ("yaml", "yml") for path in self._folder.glob(f"*.{end}") if path.is_file())

    def _stamps(self) -> Stamps:
        """Fingerprint of a file to detect changes."""
        stamps: Stamps = {}
        for path in self._files():
            with contextlib.suppress(OSError):
                found = path.stat()
                stamps[path] = (found.st_ino, found.st_mtime_ns, found.st_size)
        return stamps

    def _read(self) -> tuple[dict[str, MemoryTenant], bool]:
        """Tenants in the files, and whether all files could be read."""
        found: dict[str, MemoryTenant] = {}
        all_read = self._folder.is_dir()
        if not all_read:
            self._tell(f"{self._folder} does not exist any more; its tenants are unchanged")
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
        # Keys issued by the admin API are kept regardless of the file.
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
            kept = self._keep(
                name, made
            )  # before storing the tenant: once its hash is stored, the key is not generated again
            await self._store.put(tenant)
            for key, path in kept.items():
                self._tell(f"generated key {key!r} of tenant {name}: see {path}")

    def _keep(self, tenant: str, made: dict[str, str]) -> dict[str, Path]:
        """Write keys to files; return the paths by key name."""
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
