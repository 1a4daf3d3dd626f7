"""Receipts of erasures, checked without the service."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from loci_contract.receipts import FIRST, digest, problems, seal


@pytest.fixture
def chain() -> list[dict[str, Any]]:
    receipts: list[dict[str, Any]] = []
    for number in (1, 2, 3):
        previous = receipts[-1]["sha256"] if receipts else FIRST
        receipts.append(seal({"id": f"ers_{number}", "removed": {"memories": number}, "ä": "ö"}, number, previous))
    return receipts


def test_a_chain_as_it_was_written_is_valid(chain: list[dict[str, Any]]) -> None:
    assert list(problems(chain)) == []
    assert list(problems(chain[1:])) == []
    assert list(problems(chain[2:])) == []


def test_any_change_shows(chain: list[dict[str, Any]]) -> None:
    for name in chain[1]:
        changed = copy.deepcopy(chain)
        changed[1][name] = "0" * 64 if isinstance(changed[1][name], str) else 7
        assert list(problems(changed)), name


def test_a_receipt_that_is_left_out_shows(chain: list[dict[str, Any]]) -> None:
    assert list(problems([chain[0], chain[2]])) == ["receipt 3: one is missing between 1 and 3"]


def test_a_receipt_that_was_forged_with_its_hash_breaks_the_chain(chain: list[dict[str, Any]]) -> None:
    forged = {**chain[0], "removed": {"memories": 99}}
    del forged["sha256"]
    forged["sha256"] = digest(forged)
    assert list(problems([forged])) == []
    assert list(problems([forged, chain[1]])) == ["receipt 2: it does not follow the receipt 1 given here"]
