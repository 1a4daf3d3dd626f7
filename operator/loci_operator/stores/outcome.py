"""The outcome of provisioning a tenant's stores."""

from __future__ import annotations

from dataclasses import dataclass

from loci_operator.provision.ports import StoreAwayError
from loci_operator.reconcile.causes import Problem
from loci_operator.specs.stores import StoreAccess


class StoresError(Exception):
    """A tenant's stores cannot be provisioned or removed now; worth trying again."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True)
class Provisioned:
    """A tenant's access to its stores, and why it could not be checked just now, if so.

    Args:
        access: the access.
        problem: of a store that holds data.
        cache_problem: of the cache, without which the tenant is served.
    """

    access: StoreAccess
    problem: Problem | None = None
    cache_problem: Problem | None = None


def problem_of(error: Exception) -> Problem:
    """The problem that an error of a store is."""
    if isinstance(error, StoreAwayError):
        return Problem("StoreAway", f"{error}. It is tried again with back-off.")
    return Problem("StoreRefuses", f"{error}.")
