"""The retrievers that searches use, one module each. To add one, write its module and list it here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from loci_dataplane.search.retrievers.graph import GraphRetriever
from loci_dataplane.search.retrievers.keyword import KeywordRetriever
from loci_dataplane.search.retrievers.port import Retriever
from loci_dataplane.search.retrievers.vector import VectorRetriever
from loci_dataplane.stores.embedding import Embedder
from loci_dataplane.stores.ports import Stores

NAMES: Final = (VectorRetriever.name, KeywordRetriever.name, GraphRetriever.name)


def retrievers(stores: Stores, embedder: Embedder) -> Sequence[Retriever]:
    """All retrievers on a tenant's stores."""
    return (VectorRetriever(stores, embedder), KeywordRetriever(stores), GraphRetriever(stores))
