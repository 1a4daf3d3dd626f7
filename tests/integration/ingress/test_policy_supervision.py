"""Policy processes end, hang and start slowly under the real Envoy: another one serves, or callers get a clear 503."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from loci_contract.errors import ErrorBody
from loci_dev.rigs.ingress import Ingress, Tenant, ingress, known
from loci_dev.rigs.processes import children, is_over, stop, wait_until
from loci_dev.rigs.tenants import LIMITS

ENDLESS = LIMITS.model_copy(update={"requests_per_minute": 1_000_000, "burst": 1_000_000})


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Ingress]:
    with ingress(tmp_path, {"LOCI_STANDBY": "true"}) as running:
        yield running


@pytest.fixture
def tenant(supervised: Ingress, pod: str) -> Iterator[Tenant]:
    with known(supervised, "acme", pod, limits=ENDLESS) as one:
        yield one


class Caller(threading.Thread):
    """Sends one request after another and counts the responses."""

    def __init__(self, ingress: Ingress, tenant: Tenant) -> None:
        super().__init__()
        self.answers: Counter[int] = Counter()
        self.refusals: list[bytes] = []
        self.refused_seconds = 0.0
        self._calls = (ingress.url, tenant.bearer)
        self._over = threading.Event()

    def run(self) -> None:
        url, bearer = self._calls
        with httpx.Client(base_url=url, timeout=30) as client:
            while not self._over.is_set():
                began = time.monotonic()
                answer = client.get("/v1/memories", headers=bearer)
                self.answers[answer.status_code] += 1
                if not answer.is_success:
                    self.refused_seconds += time.monotonic() - began
                    self.refusals.append(answer.content)

    def stop(self) -> None:
        self._over.set()
        self.join()


@contextmanager
def calling(ingress: Ingress, tenant: Tenant, number: int = 4) -> Iterator[list[Caller]]:
    callers = [Caller(ingress, tenant) for _ in range(number)]
    for caller in callers:
        caller.start()
    try:
        yield callers
    finally:
        for caller in callers:
            caller.stop()


def until_more_pass(callers: list[Caller]) -> None:
    def passed() -> int:
        return sum(caller.answers[200] for caller in callers)

    before = passed()
    wait_until(lambda: passed() > before + 50, "requests pass", interval=0.01)


def pair(ingress: Ingress) -> list[int]:
    """The policy's two processes: the one that serves first."""
    wait_until(lambda: len(children(ingress.policy.process.pid)) == 2, "two policy processes run")
    return children(ingress.policy.process.pid)


@pytest.mark.parametrize("which", [0, 1], ids=["serving", "standing by"])
def test_a_killed_policy_process_fails_no_request(supervised: Ingress, tenant: Tenant, which: int) -> None:
    with calling(supervised, tenant) as callers:
        for _ in range(3):
            until_more_pass(callers)
            victim = pair(supervised)[which]
            os.kill(victim, signal.SIGKILL)
            wait_until(partial(is_over, victim), "it has ended")
        until_more_pass(callers)
    assert {status for caller in callers for status in caller.answers} == {200}


def test_a_hung_policy_process_is_replaced_and_refuses_clearly_until_then(supervised: Ingress, tenant: Tenant) -> None:
    victim = pair(supervised)[0]
    with calling(supervised, tenant, 2) as callers:
        until_more_pass(callers)
        os.kill(victim, signal.SIGSTOP)
        wait_until(lambda: is_over(victim), "the hung process is killed")
        until_more_pass(callers)
    assert {status for caller in callers for status in caller.answers} <= {200, 503}
    refusals = [ErrorBody.model_validate_json(body) for caller in callers for body in caller.refusals]
    assert {refusal.error for refusal in refusals} <= {"service_unavailable"}


@pytest.mark.invariant(4)
def test_the_process_that_takes_over_knows_the_registry_as_it_is(supervised: Ingress, tenant: Tenant, pod: str) -> None:
    pair(supervised)
    with httpx.Client(base_url=supervised.url) as client, known(supervised, "late", pod, limits=ENDLESS) as late:
        late.until(client, 200)
        supervised.put(tenant.record.model_copy(update={"keys": ()}))
        tenant.until(client, 401)
        os.kill(pair(supervised)[0], signal.SIGKILL)
        for _ in range(20):
            assert client.get("/v1/memories", headers=late.bearer).status_code == 200
            assert client.get("/v1/memories", headers=tenant.bearer).status_code == 401


KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: a, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: a, user: {}}]
contexts: [{name: a, context: {cluster: a, user: a}}]
current-context: a
"""


def test_a_policy_that_has_not_read_the_registry_refuses_clearly(tmp_path: Path, pod: str) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text(KUBECONFIG)
    unread = {"LOCI_REGISTRY_FOLDER": "", "KUBECONFIG": str(config)}
    with ingress(tmp_path, unread) as running, httpx.Client(base_url=running.url) as client:
        answer = client.get("/v1/memories", headers={"x-api-key": "sk-acme-any", "host": pod})
        assert (answer.status_code, answer.json()["error"]) == (503, "service_unavailable")
        assert answer.headers["retry-after"] == "1"
        assert client.get("/readyz").json() == {"status": "starting"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_its_parent(supervised: Ingress, number: signal.Signals) -> None:
    both = pair(supervised)
    supervised.policy.process.send_signal(number)
    wait_until(lambda: all(is_over(pid) for pid in both), "both processes have ended")
    stop(supervised.policy.process)


def test_a_policy_that_cannot_start_gives_up(tmp_path: Path) -> None:
    nowhere = {"LOCI_REGISTRY_FOLDER": str(tmp_path / "missing")}
    with ingress(tmp_path, {"LOCI_STANDBY": "true", **nowhere}) as running:
        wait_until(lambda: running.policy.process.poll() is not None, "it gave up")
        assert running.policy.process.returncode == 1
