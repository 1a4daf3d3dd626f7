"""Failures of a store or of the embedder that the service acts on, as data; the API gives each its status and words."""

from __future__ import annotations


class QuotaExceededError(Exception):
    """The tenant already holds its maximum number of memories.

    Args:
        limit: the maximum.
        used: memories held.
    """

    def __init__(self, limit: int, used: int) -> None:
        super().__init__(f"{used} of {limit} memories")
        self.limit = limit
        self.used = used


class StoreError(Exception):
    """A store cannot do what was asked.

    Args:
        component: the store, as `/health` names it: `records` or `vectors`.
        reason: the cause, without any content.
    """

    def __init__(self, component: str, reason: str) -> None:
        super().__init__(f"{component}: {reason}")
        self.component = component
        self.reason = reason


class StorageFullError(StoreError):
    """The store's volume is full: writes fail until space is freed, reads still work."""


class StoreUnavailableError(StoreError):
    """The store cannot be opened, read or written."""


class EmbedderUnavailableError(Exception):
    """The embedder does not respond; memories wait in the outbox until it does."""


class EmbedderRejectedError(Exception):
    """The embedder refuses these texts, and would again."""
