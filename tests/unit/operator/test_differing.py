"""What has to be applied, and above all what has not."""

from dataclasses import replace
from typing import Any

from loci_operator.reconcile.observed import HASH, Seen, differing, ref_of, with_hash

CONFIG: dict[str, Any] = {"kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n"}, "data": {"x": "1"}}


def seen(manifest: dict[str, Any], *, foreign: bool = False) -> Seen:
    return Seen("7", manifest["metadata"]["annotations"][HASH], foreign=foreign, deleting=False)


def test_a_missing_object_is_applied() -> None:
    wanted = with_hash(CONFIG)
    assert differing([wanted], {}, {}) == [wanted]


def test_an_object_that_is_as_wanted_is_left_alone() -> None:
    wanted = with_hash(CONFIG)
    assert differing([wanted], {ref_of(wanted): seen(wanted)}, {}) == []


def test_an_object_from_another_manifest_is_applied() -> None:
    wanted = with_hash({**CONFIG, "data": {"x": "2"}})
    assert differing([wanted], {ref_of(wanted): seen(with_hash(CONFIG))}, {}) == [wanted]


def test_an_object_that_somebody_else_wrote_to_is_applied_once() -> None:
    wanted = with_hash(CONFIG)
    key, other = ref_of(wanted), seen(wanted, foreign=True)
    assert differing([wanted], {key: other}, {}) == [wanted]
    assert differing([wanted], {key: other}, {key: "7"}) == []
    assert differing([wanted], {key: replace(other, version="8")}, {key: "7"}) == [wanted]


def test_the_hash_depends_on_content_and_not_on_order() -> None:
    turned = {"metadata": CONFIG["metadata"], "kind": "ConfigMap", "data": {"x": "1"}}
    assert with_hash(CONFIG)["metadata"]["annotations"] == with_hash(turned)["metadata"]["annotations"]
    assert "annotations" not in CONFIG["metadata"], "the manifest itself was changed"
