"""Where a tenant's data is kept: a profile, or each store for itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, Self

from pydantic import Field, model_validator

from loci_resources.base import Cidr, LabelName, Model, Size
from loci_resources.tier import StorageProfile


class StoreKind(StrEnum):
    """Where records, vectors or the cache are."""

    EMBEDDED = "embedded"
    """In the tenant's pod: SQLite, Chroma in the process, a cache in memory."""
    SHARED = "shared"
    """The tenant's share of the platform's PostgreSQL, Chroma or Redis."""
    DEDICATED = "dedicated"
    """A server of the tenant's own in its namespace."""
    EXTERNAL = "external"
    """A server elsewhere, by address and Secret."""


class GraphKind(StrEnum):
    """Where the graph is."""

    RECORDS = "records"
    """Beside the records, in SQLite or PostgreSQL."""
    NEO4J = "neo4j"
    """A Neo4j of the tenant's own in its namespace."""
    EXTERNAL = "external"
    """A Neo4j elsewhere, by address and Secret."""


class ExternalStore(Model):
    """A store by address and Secret."""

    secret_name: LabelName = Field(
        description="Name of a Secret in Loci's own namespace, labelled loci.dev/tenant with the tenant's name. Keys: "
        "of PostgreSQL `dsn`; of Chroma `url` and `token`; of Neo4j `url`, `user` and `password`; of Redis `url`, and "
        '`cluster: "true"` for a Redis Cluster.'
    )
    cidrs: tuple[Cidr, ...] = Field(
        (), max_length=16, description="Networks that the store is in, such as 10.1.0.0/16. Unset: any."
    )


class ExternalStores(Model):
    """Stores elsewhere."""

    postgres: ExternalStore | None = Field(
        None,
        description="PostgreSQL, with `records: external`. The role of `dsn` may create roles and schemas, or the "
        "tenant's schema is there already and `dsn` has its login role.",
    )
    chroma: ExternalStore | None = Field(
        None, description="Chroma or a gate before it, with `vectors: external`; `token` is sent as a bearer token."
    )
    neo4j: ExternalStore | None = Field(None, alias="neo4j", description="Neo4j, with `graph: external`.")
    redis: ExternalStore | None = Field(None, description="Redis or Valkey, with `cache: external`.")


EXTERNAL: Final = {"records": "postgres", "vectors": "chroma", "graph": "neo4j", "cache": "redis"}
"""The external server of each store."""


class Storage(Model):
    """Storage of the tenant's data: a profile, and each store's own place where it differs."""

    profile: StorageProfile | None = Field(None, description="Storage profile. Defaults to the tier's.")
    records: StoreKind | None = Field(
        None, description="Place of the records, in SQLite (embedded) or PostgreSQL. Defaults to the profile's."
    )
    vectors: StoreKind | None = Field(None, description="Place of the vectors, in Chroma. Defaults to the profile's.")
    graph: GraphKind | None = Field(
        None,
        description="Place of the graph: beside the records, a Neo4j of the tenant's own, or an external one. Defaults "
        "to the profile's.",
    )
    cache: StoreKind | None = Field(
        None,
        description="Place of the cache: in the pod (embedded) or Redis. Defaults to the profile's; with "
        "`shared`, the platform's Redis where it has one, else the pod.",
    )
    external: ExternalStores = Field(default_factory=ExternalStores, description="Stores elsewhere.")
    size: Size | None = Field(
        None, description="Size of each volume, such as 10Gi, at least 16Mi. Defaults to the tier's."
    )
    storage_class_name: LabelName | None = Field(
        None, description="StorageClass of the volumes. Defaults to the cluster's default class."
    )

    @model_validator(mode="after")
    def _external_stores_are_named(self) -> Self:
        for store, server in EXTERNAL.items():
            if (getattr(self, store) == "external") != (getattr(self.external, server) is not None):
                raise ValueError(external_rule(store))
        return self


def external_rule(store: str) -> str:
    """The rule on an external store, for messages."""
    return f"{store}: external and external.{EXTERNAL[store]} go together"


class Placement(NamedTuple):
    """Where each of a tenant's stores is."""

    records: StoreKind
    vectors: StoreKind
    graph: GraphKind
    cache: StoreKind

    def __str__(self) -> str:
        """The profile's name, or else records=shared,vectors=embedded,graph=records,cache=embedded."""
        profile = next((profile.value for profile, places in PLACEMENTS.items() if places == self), None)
        return profile or ",".join(f"{name}={kind}" for name, kind in self._asdict().items())

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

    def moved_to(self, other: Placement) -> list[str]:
        """The stores whose data another placement leaves behind, such as records from embedded to shared.

        A cache has none. The graph beside the records moves with them.
        """
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in ("records", "vectors", "graph")}
        return [f"{name} from {old} to {new}" for name, (old, new) in pairs.items() if old != new]

    @property
    def profile(self) -> StorageProfile:
        """The profile that has most of these stores."""
        return max(PLACEMENTS, key=lambda name: sum(a == b for a, b in zip(self, PLACEMENTS[name], strict=True)))

    @property
    def has_volume(self) -> bool:
        """Whether the tenant's pod keeps data itself, so that there is one pod, with a volume."""
        return StoreKind.EMBEDDED in {self.records, self.vectors}

    @property
    def is_outside(self) -> bool:
        """Whether the tenant has something outside its namespace that has to be removed with it."""
        has_data = bool({StoreKind.SHARED, StoreKind.EXTERNAL} & {self.records, self.vectors})
        return has_data or self.cache is StoreKind.SHARED

    def missing(self, available: Available) -> list[str]:
        """The stores that an installation does not have, such as records: shared."""
        return [f"{name}: {kind}" for name, kind in self._asdict().items() if kind not in getattr(available, name)]

    @property
    def kinds(self) -> set[str]:
        """The kinds of the stores."""
        return {kind.value for kind in self}


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
    StorageProfile.SHARED: Placement(StoreKind.SHARED, StoreKind.SHARED, GraphKind.RECORDS, StoreKind.SHARED),
    StorageProfile.DEDICATED: Placement(StoreKind.DEDICATED, StoreKind.DEDICATED, GraphKind.NEO4J, StoreKind.DEDICATED),
}
"""The stores of each profile."""
