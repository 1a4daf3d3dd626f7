"""What each builder makes, against committed manifests; `LOCI_GOLDEN=write pytest` renews them for review."""

import base64
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from loci_dev.rigs.contexts import CACHE, GATE, POSTGRES, context, dedicated, shared
from loci_operator.reconcile.observed import with_hash
from loci_operator.specs.children import children
from loci_operator.specs.context import Context
from loci_resources.errors import RejectedError
from loci_resources.storage import Storage
from loci_resources.tenant import DeletionPolicy, LimitOverrides, Network

GOLDEN = Path(__file__).parent / "golden"


def child(made: Context, kind: str, name: str = "loci-dataplane") -> dict[str, Any]:
    return next(c for c in children(made) if c["kind"] == kind and c["metadata"]["name"] == name)


CASES: dict[str, Callable[[], Context]] = {
    "pro": context,
    "pro-shared": shared,
    "enterprise-dedicated": dedicated,
    "free-deleted-with-its-data": lambda: context("free", deletion_policy=DeletionPolicy.DELETE),
    "enterprise-with-its-own": lambda: context(
        "enterprise",
        limits=LimitOverrides(burst=7),
        storage=Storage(size="5Gi", storage_class_name="fast"),
        network=Network(allow_from=("probes",)),
        suspend=True,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_objects_are_as_committed(case: str) -> None:
    text = yaml.safe_dump_all(children(CASES[case]()), sort_keys=False, width=120)
    path = GOLDEN / f"{case}.yaml"
    if os.environ.get("LOCI_GOLDEN") == "write":
        path.write_text(text)
    assert path.read_text() == text


@pytest.mark.parametrize("case", CASES)
def test_every_object_is_labelled_and_goes_with_its_tenant(case: str) -> None:
    made = CASES[case]()
    for manifest in children(made):
        metadata = manifest["metadata"]
        assert metadata["labels"]["loci.dev/tenant"] == "acme"
        assert metadata["labels"]["app.kubernetes.io/managed-by"] == "loci-operator"
        owned = [owner["uid"] for owner in metadata.get("ownerReferences", [])]
        keeps = manifest["kind"] == "Namespace" and made.retains
        assert owned == ([] if keeps else ["0000-1111"])


def test_the_pod_meets_the_restricted_standard_and_has_no_token() -> None:
    spec = child(context(), "StatefulSet")["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_no_secret_is_outside_a_secret() -> None:
    others = str([c for c in children(context()) if c["kind"] != "Secret"])
    assert "token-of-acme" not in others
    assert "sk-acme-key" not in others
    assert "token-of-acme" not in repr(context())


def test_the_credentials_of_shared_stores_are_in_secrets_alone_and_the_gates_has_but_a_hash() -> None:
    made = shared()
    others = str([c for c in children(made) if c["kind"] != "Secret"])
    assert "password-of-acme" not in others + repr(made)
    assert "token-at-gate" not in others + repr(made)
    assert "cache-of-acme" not in others + repr(made)
    record = child(made, "Secret", "collection-acme")
    assert "token-at-gate" not in str({name: base64.b64decode(data) for name, data in record["data"].items()})


def test_a_pod_on_shared_stores_has_no_volume_that_outlives_it_and_reaches_them_alone() -> None:
    made = shared()
    assert "StatefulSet" not in {c["kind"] for c in children(made)}
    pod = child(made, "Deployment")["spec"]["template"]["spec"]
    assert all({"projected", "emptyDir"} & volume.keys() for volume in pod["volumes"])
    own, plain = (child(c, "NetworkPolicy")["spec"]["egress"] for c in (made, context()))
    assert own == [*plain, POSTGRES, GATE, CACHE]


def test_limits_and_keys_are_no_part_of_the_pods_template() -> None:
    before = child(context("enterprise"), "StatefulSet")
    changed = replace(context("enterprise", limits=LimitOverrides(burst=1)), keys=())
    assert child(changed, "StatefulSet") == before


def test_the_namespace_denies_everything_by_default() -> None:
    spec = child(context(), "NetworkPolicy", "default-deny")["spec"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [], "egress": []}


def test_a_manifest_differs_in_its_hash_when_it_differs() -> None:
    plain, bigger = child(context(), "ConfigMap"), child(context("free"), "ConfigMap")
    assert with_hash(plain)["metadata"]["annotations"] != with_hash(bigger)["metadata"]["annotations"]


def test_own_limits_are_refused_where_the_tier_does_not_allow_them() -> None:
    with pytest.raises(RejectedError, match=r"Remove spec[.]limits"):
        context("pro", limits=LimitOverrides(burst=1))
