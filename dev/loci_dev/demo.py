"""``make demo``: `loci serve` with two tenants, from storing and searching memories to a rate limit."""

from __future__ import annotations

import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.markup import escape

from loci_dev.rigs.processes import free_port, running

_CONVERSATION: Final = (
    ("ada", "I moved to Lisbon in March, and the hills are killing my knees."),
    ("sam", "Get an e-bike! Mine made the hills of Porto flat."),
    ("ada", "Good idea. By the way, I can't have peanuts any more, the doctor was clear."),
    ("sam", "Noted, no satay sauce on Friday then. Does your sister still come?"),
    ("ada", "Yes, Grace lands on Thursday evening with her two dogs."),
    ("sam", "I'll bring green tea, I remember you gave up coffee."),
)
_QUESTIONS: Final = ("What food is Ada allergic to?", "When does Grace arrive?")
_MAX_REQUESTS: Final = 1_000

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Run the demo; return 0 when every response was as expected."""
    admin_key, port = secrets.token_urlsafe(32), free_port()
    base = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="loci-demo-") as folder:
        console.print(f"[bold]Loci demo[/] starting `loci serve --port {port}` with a temporary data folder ...")
        loci = Path(sys.executable).parent / "loci"
        command = [str(loci), "serve", "--data", f"{folder}/data", "--port", str(port)]
        log = Path(folder) / "loci.log"
        with (
            running(command, log, ready=lambda: _is_ready(base), environment={"LOCI_ADMIN_KEY": admin_key}),
            httpx.Client(base_url=base, timeout=30) as client,
        ):
            _tell(client, admin_key)
    console.print("\n[bold green]Done.[/] The server is stopped and its data removed.")
    return 0


def _tell(client: httpx.Client, admin_key: str) -> None:
    _step("Two tenants, by POST /admin/tenants")
    acme = _create(client, admin_key, "acme_corp", "pro")
    hobby = _create(client, admin_key, "hobby", "free")

    _step(f"{acme['tenant_id']} stores a conversation of {len(_CONVERSATION)} turns")
    for speaker, line in _CONVERSATION:
        body = {"content": f"{speaker}: {line}", "session_id": "friday", "metadata": {"speaker": speaker}}
        _expect(client.post("/v1/memories", json=body, headers=_bearer(acme)), 201)
        console.print(f"  201  {speaker}: {line}")

    _step("It finds the answers, by meaning and by words")
    for question in _QUESTIONS:
        console.print(f"  {question}")
        for hit in _search(client, acme, question)[:2]:
            console.print(f"    {hit['score']:.2f}  {hit['content']}")

    _step(f"{hobby['tenant_id']} asks the same question and finds nothing")
    found = _search(client, hobby, _QUESTIONS[0])
    assert found == [], "another tenant's memories were found"
    console.print(f"  {len(found)} results")

    _step("A wrong key")
    answer = client.get("/v1/memories", headers={"Authorization": "Bearer sk-acme-corp-guess"})
    _show(_expect(answer, 401))

    _step(f"{hobby['tenant_id']} runs out of requests (tier free)")
    _drain(client, hobby)

    _step("/health and some of /metrics")
    console.print(f"  {escape(client.get('/health').text)}")
    metrics = client.get("/metrics", headers={"Authorization": f"Bearer {admin_key}"}).text
    wanted = ("memory_requests_total{", "memory_entities_count{", "memory_cache_hit_ratio{")
    for line in [line for line in metrics.splitlines() if line.startswith(wanted)][:8]:
        console.print(f"  {escape(line)}")


def _create(client: httpx.Client, admin_key: str, name: str, tier: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {admin_key}"}
    answer = _expect(client.post("/admin/tenants", json={"name": name, "tier": tier}, headers=headers), 201)
    tenant: dict[str, Any] = answer.json()
    limits = tenant["limits"]
    allowed = f"{limits['requests_per_minute']:,} requests a minute, {limits['max_memories']:,} memories"
    console.print(f"  201  {name} ({tier}) -> tenant {tenant['tenant_id']}: {allowed}")
    return tenant


def _search(client: httpx.Client, tenant: dict[str, Any], query: str) -> list[dict[str, Any]]:
    body = {"query": query, "limit": 3}
    answer = _expect(client.post("/v1/memories/search", json=body, headers=_bearer(tenant)), 200)
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def _drain(client: httpx.Client, tenant: dict[str, Any]) -> None:
    for number in range(1, _MAX_REQUESTS):
        answer = client.get("/v1/usage", headers=_bearer(tenant))
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            console.print(f"  request {number} after its first search is refused:")
            _show(answer)
            for name in ("Retry-After", "RateLimit", "RateLimit-Policy"):
                console.print(f"  {name}: {escape(answer.headers[name])}")
            return
        _expect(answer, 200)
    raise AssertionError(f"no 429 within {_MAX_REQUESTS} requests")


def _bearer(tenant: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tenant['api_key']}"}


def _expect(answer: httpx.Response, status: int) -> httpx.Response:
    assert answer.status_code == status, f"expected {status}, got {answer.status_code}: {answer.text}"
    return answer


def _show(answer: httpx.Response) -> None:
    console.print(f"  {answer.status_code}  {escape(answer.text)}")


def _step(title: str) -> None:
    console.print(f"\n[bold cyan]{title}[/]")


def _is_ready(base: str) -> bool:
    try:
        return httpx.get(f"{base}/readyz", timeout=2).is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    sys.exit(main())
