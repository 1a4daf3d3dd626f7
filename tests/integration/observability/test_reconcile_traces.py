"""Reconciles leave spans."""

from __future__ import annotations

import pytest

from loci_dev.rigs.collector import collector
from loci_operator.metrics import Metrics
from loci_runtime.tracing import exporting


async def test_a_reconcile_leaves_a_span_with_its_tenant_and_of_a_failure_the_type_alone() -> None:
    async def work(name: str) -> None:
        if name == "broken":
            raise ValueError("a-secret-word")

    with collector() as receiver:
        with exporting("loci-operator", receiver.url):
            reconcile = Metrics().timed(work)
            await reconcile("acme")
            with pytest.raises(ValueError, match="a-secret-word"):
                await reconcile("broken")
        told = {
            next(a.value.string_value for a in span.attributes if a.key == "tenant_id"): span
            for span in receiver.all_spans()
        }
    assert {name: span.name for name, span in told.items()} == {"acme": "reconcile", "broken": "reconcile"}
    assert [a.value.string_value for a in told["broken"].attributes if a.key == "error.type"] == ["ValueError"]
    assert b"a-secret-word" not in told["broken"].SerializeToString()
