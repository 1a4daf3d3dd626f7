"""`loci doctor` on a real API server with the chart's objects: first without a fault, then with ten and more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis import Redis

from loci_cli.doctor.checks import clock
from loci_cli.doctor.findings import Status
from loci_cli.doctor.installation import Installation
from loci_contract.keys import sha256
from loci_contract.names import SYSTEM_NAMESPACE
from loci_dev import chart
from loci_dev.cluster.controlplane import ControlPlane, control_plane
from loci_dev.rigs.redis import redis
from loci_kubernetes.api import Api
from loci_kubernetes.connection import connection

PASSWORD = "a-password-that-nothing-may-print"
ADMIN_KEY = "an-admin-key-that-nothing-may-print"
VALUES: dict[str, Any] = {
    "redis": {"enabled": False, "existingSecret": "doctor-redis"},
    "admin": {"existingSecret": "doctor-admin"},
}
READY = {"type": "Ready", "reason": "Serving", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}


class Patient:
    """An installation: the chart's objects on an API server of its own, and a Redis with a password."""

    def __init__(self, plane: ControlPlane, server: Redis, url: str) -> None:
        self.plane = plane
        self.server = server
        self.url = url

    def kubectl(self, *arguments: str, **options: str) -> str:
        return self.plane.kubectl("-n", SYSTEM_NAMESPACE, *arguments, **options)

    def apply(self, *items: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))

    def secret(self, name: str, kind: str = "Opaque", **data: str) -> None:
        metadata = {"name": name, "namespace": SYSTEM_NAMESPACE}
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "stringData": data})

    def tenant(self, name: str, ready: str | None) -> None:
        self.apply(
            {
                "apiVersion": "loci.dev/v1alpha1",
                "kind": "MemoryTenant",
                "metadata": {"name": name},
                "spec": {"tier": "pro"},
            }
        )
        if ready:
            status = {"observedGeneration": 1, "conditions": [READY | {"status": ready}]}
            patch = json.dumps({"status": status})
            self.kubectl("patch", "mt", name, "--subresource=status", "--type=merge", "-p", patch)

    def doctor(self, *options: str, kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "loci_cli", "doctor", *options]
        environment = {"KUBECONFIG": str(kubeconfig or self.plane.kubeconfig), "PATH": os.environ["PATH"]}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert PASSWORD not in done.stdout + done.stderr
        assert ADMIN_KEY not in done.stdout + done.stderr
        return done

    def findings(self, *options: str, kubeconfig: Path | None = None) -> dict[str, dict[str, str]]:
        done = self.doctor("--output", "json", *options, kubeconfig=kubeconfig)
        assert done.stdout, done.stderr
        document = json.loads(done.stdout)
        assert done.returncode == (1 if document["failed"] else 0)
        return {finding["name"]: finding for finding in document["findings"]}


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    folder = tmp_path_factory.mktemp("doctor")
    with control_plane(folder / "plane") as plane, redis(folder) as server, Redis(port=server.port) as client:
        client.config_set("requirepass", PASSWORD)
        client.execute_command("AUTH", PASSWORD)
        made = Patient(plane, client, f"127.0.0.1:{server.port}/0")
        plane.kubectl("create", "namespace", SYSTEM_NAMESPACE)
        plane.kubectl("apply", "--server-side", "-f", str(chart.CHART / "crds"))
        plane.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=30s")
        shipped = [entry for entry in chart.render(**VALUES) if entry["kind"] != "CustomResourceDefinition"]
        made.apply(*shipped)
        made.secret("doctor-redis", url=f"redis://:{PASSWORD}@{made.url}")
        made.secret("doctor-admin", key=ADMIN_KEY, sha256=sha256(ADMIN_KEY))
        made.secret("tls", "kubernetes.io/tls", **certificate(folder, days=90))
        made.tenant("healthy", "True")
        yield made


def certificate(folder: Path, days: int) -> dict[str, str]:
    """A self-signed certificate that ends in so many days, as the data of a TLS Secret."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"loci-{folder.name}")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=365))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"tls.crt": signed.public_bytes(serialization.Encoding.PEM).decode(), "tls.key": private.decode()}


def test_an_installation_without_a_fault_passes(patient: Patient) -> None:
    findings = patient.findings()
    assert {name: f for name, f in findings.items() if f["status"] not in {"ok", "skipped"}} == {}
    assert {"clock", "permissions", "images", "admin key", "store redis", "isolation", "tenants"} <= findings.keys()
    assert findings["permissions"]["status"] == findings["store redis"]["status"] == "ok"


def test_a_user_without_permissions_is_told_what_was_not_checked(patient: Patient) -> None:
    nobody = patient.plane.certificate_kubeconfig("nobody")
    findings = patient.findings(kubeconfig=nobody)
    assert {f["status"] for name, f in findings.items() if name != "clock"} == {"warning"}
    assert "cannot list resource" in findings["tenants"]["message"]


def test_a_cluster_that_is_away_is_a_fault_of_every_check(patient: Patient, tmp_path: Path) -> None:
    away = tmp_path / "away.kubeconfig"
    away.write_text(patient.plane.kubeconfig.read_text().replace(patient.plane.server, "https://127.0.0.1:1"))
    assert {f["status"] for f in patient.findings(kubeconfig=away).values()} == {"failed"}
    done = patient.doctor("--kubeconfig", str(tmp_path / "nowhere"))
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize(("hours", "status"), [(0, Status.OK), (1, Status.FAILED), (-1, Status.FAILED)])
async def test_a_wrong_clock_is_found(patient: Patient, hours: int, status: Status) -> None:
    async with connection(patient.plane.kubeconfig) as made:
        installation = Installation(made, Api(made, "test"), now=lambda: datetime.now(UTC) + timedelta(hours=hours))
        (finding,) = await clock.check(installation)
    assert finding.status is status


def seed(patient: Patient, folder: Path) -> dict[str, tuple[str, str]]:
    """Break the installation in many ways; the status that each finding should have, and a part of its message."""
    crd = json.loads(patient.kubectl("get", "crd", "memorytenants.loci.dev", "-o", "json"))
    (current,) = crd["spec"]["versions"]
    versions = [current | {"storage": False}, current | {"name": "v1alpha0", "storage": True}]
    patch = json.dumps({"spec": {"versions": versions}})
    patient.kubectl("patch", "crd", "memorytenants.loci.dev", "--type=merge", "-p", patch)
    field = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/added"
    added = json.dumps([{"op": "add", "path": field, "value": {"type": "string"}}])
    patient.kubectl("patch", "crd", "memorytiers.loci.dev", "--type=json", "-p", added)
    rules = json.dumps([{"op": "remove", "path": "/rules/0"}])
    patient.kubectl("patch", "clusterrole", "loci-operator", "--type=json", "-p", rules)
    patient.kubectl("set", "image", "deployment/loci-admin", "admin=loci:old")
    patient.kubectl("delete", "secret", "doctor-admin")
    patient.secret("doctor-admin", sha256=sha256("development-admin-key"))
    patient.secret("tls", "kubernetes.io/tls", **certificate(folder, days=-1))
    patient.secret("tls-soon", "kubernetes.io/tls", **certificate(folder, days=5))
    database = f"LOCI_POSTGRES_ADMIN_DSN=postgresql://postgres:{PASSWORD}@127.0.0.1:1/loci"
    patient.kubectl("set", "env", "deployment/loci-operator", database, "LOCI_CHROMA_URL=http://chroma.invalid:8000")
    patient.server.config_set("requirepass", "")
    patient.secret("doctor-redis", url=f"redis://{patient.url}")
    patient.tenant("broken", "False")
    patient.tenant("unseen", None)
    return {
        "crd memorytenants.loci.dev": ("failed", "v1alpha0"),
        "crd memorytiers.loci.dev": ("warning", "schema"),
        "permissions": ("failed", "watch memorytenants.loci.dev"),
        "images": ("failed", "admin loci:old"),
        "admin key": ("failed", "default"),
        "certificate tls": ("failed", "expired"),
        "certificate tls-soon": ("warning", "expires"),
        "dns": ("failed", "chroma.invalid"),
        "store postgres": ("failed", "127.0.0.1:1"),
        "store chroma": ("failed", "chroma.invalid:8000"),
        "isolation": ("failed", "store redis"),
        "tenant broken": ("failed", "Ready is False"),
        "tenant unseen": ("failed", "no operator"),
    }


@pytest.mark.invariant(5)
def test_seeded_faults_are_found_together_each_with_its_fix(patient: Patient, tmp_path: Path) -> None:
    expected = seed(patient, tmp_path)
    findings = patient.findings()
    found = {name: (f["status"], part in f["message"]) for name, (_, part) in expected.items() if (f := findings[name])}
    assert found == {name: (status, True) for name, (status, _) in expected.items()}
    bad = {name for name, f in findings.items() if f["status"] in {"failed", "warning"}}
    assert bad == expected.keys()
    assert all(findings[name]["fix"] for name in bad)
    printed = patient.doctor()
    assert printed.returncode == 1
    assert all(findings[name]["message"] in printed.stdout for name in bad)
