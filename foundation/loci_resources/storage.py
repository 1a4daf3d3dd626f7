"""Where a tenant's data is kept: a profile, or each store for itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from loci_resources.tier import StorageProfile


class StoreKind(StrEnum):
    """Where records, vectors or the cache are."""

    EMBEDDED = "embedded"
    """In the tenant's pod: SQLite, Chroma in the process, a cache in memory."""
    SHARED = "shared"
    """The tenant's share of the platform's PostgreSQL, Chroma or Redis."""
    DEDICATED = "dedicated"
    """A server of the tenant's own in its namespace."""


class GraphKind(StrEnum):
    """Where the graph is."""

    RECORDS = "records"
    """Beside the records, in SQLite or PostgreSQL."""
    NEO4J = "neo4j"
    """A Neo4j of the tenant's own in its namespace."""


@dataclass(frozen=True)
class Placement:
    """Where each of a tenant's stores is."""

    records: StoreKind
    vectors: StoreKind
    graph: GraphKind
    cache: StoreKind

    def __str__(self) -> str:
        """The profile's name, or else records=shared,vectors=embedded,graph=records,cache=embedded."""
        profile = next((profile.value for profile, places in PLACEMENTS.items() if places == self), None)
        return profile or ",".join(f"{name}={kind}" for name, kind in vars(self).items())

    @classmethod
    def parse(cls, text: str) -> Placement | None:
        """The placement of such a text; None when it is none."""
        if text in set(StorageProfile):
            return PLACEMENTS[StorageProfile(text)]
        kinds = dict(part.partition("=")[::2] for part in text.split(","))
        try:
            return cls(
                records=StoreKind(kinds["records"]),
                vectors=StoreKind(kinds["vectors"]),
                graph=GraphKind(kinds["graph"]),
                cache=StoreKind(kinds["cache"]),
            )
        except (KeyError, ValueError):
            return None

    @property
    def data(self) -> tuple[str, ...]:
        """The stores that hold data and so must not change; a cache may."""
        return self.records, self.vectors, self.graph

    @property
    def has_volume(self) -> bool:
        """Whether the tenant's pod keeps data itself, so that there is one pod, with a volume."""
        return StoreKind.EMBEDDED in {self.records, self.vectors}

    @property
    def is_shared(self) -> bool:
        """Whether the tenant has a share of a store outside its namespace, which has to be removed with it."""
        return StoreKind.SHARED in {self.records, self.vectors}

    def missing(self, available: Available) -> list[str]:
        """The stores that an installation does not have, such as records: shared."""
        return [f"{name}: {kind}" for name, kind in vars(self).items() if kind not in getattr(available, name)]

    @property
    def kinds(self) -> set[str]:
        """The kinds of the stores."""
        return {getattr(self, field.name).value for field in fields(self)}


@dataclass(frozen=True)
class Available:
    """The kinds of stores that an installation has."""

    records: Collection[str] = frozenset({StoreKind.EMBEDDED})
    vectors: Collection[str] = frozenset({StoreKind.EMBEDDED})
    graph: Collection[str] = frozenset({GraphKind.RECORDS})
    cache: Collection[str] = frozenset({StoreKind.EMBEDDED})


EMBEDDED_ONLY: Final = Available()

PLACEMENTS: Final = {
    StorageProfile.EMBEDDED: Placement(StoreKind.EMBEDDED, StoreKind.EMBEDDED, GraphKind.RECORDS, StoreKind.EMBEDDED),
    StorageProfile.SHARED: Placement(StoreKind.SHARED, StoreKind.SHARED, GraphKind.RECORDS, StoreKind.EMBEDDED),
    StorageProfile.DEDICATED: Placement(StoreKind.DEDICATED, StoreKind.DEDICATED, GraphKind.NEO4J, StoreKind.DEDICATED),
}
"""The stores of each profile."""
