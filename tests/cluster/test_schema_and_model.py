"""The schema and the model agree: what a real API server takes, the operator reads (property test)."""

import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from loci_dev.cluster.controlplane import ControlPlane
from loci_operator.reconcile.reading import read_tenant

PATH = "/apis/loci.dev/v1alpha1/memorytenants?dryRun=All"


@pytest.fixture(scope="module")
def client(plane: ControlPlane) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=str(plane.ca))
    context.load_cert_chain(plane.admin.certificate, plane.admin.key)
    with httpx.Client(base_url=plane.server, verify=context, timeout=30) as client:
        yield client


def pieces(*choices: str) -> st.SearchStrategy[str]:
    return st.sampled_from(choices)


TIMES = st.tuples(
    pieces("2030", "0000", "0001", "0999", "1000", "9999", "10000", "203"),
    pieces("-01-01", "-02-29", "-02-30", "-12-31", "-13-01", "-00-10", "0101"),
    pieces("T", "t", " "),
    pieces("00:00:00", "23:59:59", "23:59:60", "24:00:00", "12:00"),
    pieces("", ".5", ".123456789", ".1234567890", ",5", "x5"),
    pieces("Z", "z", "+24:00", "+99:99", "-23:59", "+23:59", "+00:00", "-00:00", "", "ZTtrailing", "+0100"),
).map("".join)
QUANTITIES = st.one_of(
    pieces("10m", "1Gi", "0", "16Mi", "1.5Gi", ".5Gi", "1e3", "1E", "-1Gi", "+1Gi", "1gi", "1Gi\n", "9" * 32, "٣Gi"),
    st.from_regex(r"[0-9]{1,20}(\.[0-9]{1,5})?(m|k|[MGTPE]i?|Ki)?", fullmatch=True),
)
NUMBERS = st.one_of(st.integers(-1, 10**20), st.floats(allow_nan=False, allow_infinity=False), st.none(), st.just("5"))
TEXTS = st.one_of(st.text(max_size=6), pieces("a", "A", "a-", "-a", "a\n", "é", "x" * 63, "x" * 64))
KEYS = st.fixed_dictionaries(
    {"name": st.one_of(pieces("a", "b"), TEXTS)},
    optional={
        "expiresAt": st.one_of(TIMES, st.none()),
        "sha256": st.one_of(pieces("0" * 64, "A" * 64, "0" * 64 + "\n", "0" * 63), st.none()),
        "scopes": st.one_of(st.lists(pieces("read", "write", "admin", "root"), max_size=4), st.none()),
    },
)
EXTERNAL = st.fixed_dictionaries(
    {"secretName": st.one_of(pieces("a"), TEXTS)},
    optional={"cidrs": st.lists(pieces("10.0.0.0/8", "0.0.0.0/0", "1.2.3.4", "256.0.0.0/8", "::/0", "1.2.3.4/33"))},
)
PLACES = pieces("embedded", "shared", "dedicated", "external", "records", "neo4j", "")
STORAGE = st.fixed_dictionaries(
    {},
    optional={
        "profile": pieces("embedded", "shared", "dedicated"),
        **dict.fromkeys(("records", "vectors", "graph", "cache"), st.one_of(PLACES, st.none())),
        "external": st.one_of(
            st.none(), st.dictionaries(pieces("postgres", "chroma", "neo4j", "redis"), st.one_of(EXTERNAL, st.none()))
        ),
    },
)
SPECS = st.fixed_dictionaries(
    {"tier": st.one_of(pieces("pro"), TEXTS)},
    optional={
        "displayName": st.one_of(st.text(max_size=130), st.none()),
        "limits": st.dictionaries(pieces("requestsPerMinute", "burst", "maxMemories", "maxGraphNodes"), NUMBERS),
        "apiKeys": st.one_of(st.lists(KEYS, max_size=3), st.none()),
        "storage": st.one_of(
            st.dictionaries(pieces("profile", "size", "storageClassName"), st.one_of(QUANTITIES, TEXTS)), STORAGE
        ),
        "replicas": NUMBERS,
        "resources": st.dictionaries(
            pieces("requests", "limits"), st.dictionaries(pieces("cpu", "memory"), st.one_of(QUANTITIES, NUMBERS))
        ),
        "network": st.one_of(st.none(), st.fixed_dictionaries({"allowFrom": st.lists(TEXTS, max_size=3)})),
        "suspend": st.one_of(st.booleans(), pieces("yes", "true"), st.none(), st.integers(0, 1)),
        "deletionPolicy": st.one_of(pieces("Retain", "Delete", "retain"), st.none()),
    },
)


def check(client: httpx.Client, spec: dict[str, Any]) -> None:
    metadata = {"name": "agreed"}
    document = {"apiVersion": "loci.dev/v1alpha1", "kind": "MemoryTenant", "metadata": metadata, "spec": spec}
    answer = client.post(PATH, json=document)
    assert answer.status_code in {201, 400, 422}, answer.text
    if answer.status_code == 201:
        assert read_tenant(answer.json()).problems == ()


@example("9999-12-31T23:59:59Z")
@example("9999-12-31T23:59:59-23:59")
@example("1000-01-01T00:00:00+23:59")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TIMES)
def test_a_time_that_the_api_server_takes_is_read(client: httpx.Client, time: str) -> None:
    check(client, {"tier": "pro", "apiKeys": [{"name": "a", "expiresAt": time}]})


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SPECS)
def test_a_spec_that_the_api_server_takes_is_read(client: httpx.Client, spec: dict[str, Any]) -> None:
    check(client, spec)
