"""The chart names the embedder's models, the first of which is the default."""

from __future__ import annotations

from loci_dev import chart
from loci_embedder.loading import DEFAULT_MODEL


def models(**values: object) -> str:
    objects = chart.render(**values)
    pods = [
        o["spec"]["template"]["spec"]
        for o in objects
        if o["metadata"]["name"] == "loci-embedder" and "template" in o["spec"]
    ]
    (value,) = [e["value"] for pod in pods for e in pod["containers"][0]["env"] if e["name"] == "LOCI_MODELS"]
    return str(value)


def test_the_default_is_the_model_that_comes_with_loci() -> None:
    assert models() == DEFAULT_MODEL


def test_a_second_model_is_served_while_tenants_change() -> None:
    assert models(embedder={"models": ["new", "old"]}) == "new,old"
