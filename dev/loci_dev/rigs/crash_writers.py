"""Clients that write until the connection breaks, and know exactly what must be there afterwards."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

_PLAN: Final = ("add", "add", "delete", "batch", "change", "delete", "add")
_WRITES: Final = 8
"""Of one client in a round; all clients' memories of a round fit into one search."""


@dataclass
class Sent:
    """A request without a response yet, to be sent again as it was."""

    method: str
    path: str
    key: str
    body: Any = None

    def send(self, client: httpx.Client) -> httpx.Response:
        """Send it."""
        response = client.request(self.method, self.path, json=self.body, headers={"Idempotency-Key": self.key})
        response.raise_for_status()
        return response


@dataclass
class Writer:
    """One client's round: `kept` and `deleted` are ids whose 2xx was received, `open` what had no response."""

    round: int
    number: int
    kept: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    open: Sent | None = None

    def run(self, client: httpx.Client, first: threading.Event) -> None:
        """Write until all is written or the connection breaks."""
        for n in range(_WRITES):
            self.open = self._request(n)
            try:
                response = self.open.send(client)
            except httpx.TransportError:
                return
            self.note(self.open, response)
            self.open = None
            first.set()

    def retry(self, client: httpx.Client) -> None:
        """Send again what had no response, twice; it must have happened once."""
        if self.open is None:
            return
        first, second = self.open.send(client), self.open.send(client)
        if first.content != second.content:
            raise AssertionError("a retry got another response")
        self.note(self.open, first)
        self.open = None

    def note(self, sent: Sent, response: httpx.Response) -> None:
        """Count what a response acknowledges."""
        if sent.method == "DELETE":
            memory_id = sent.path.rpartition("/")[2]
            self.kept.discard(memory_id)
            self.deleted.add(memory_id)
        elif sent.path.endswith("/batch"):
            self.kept |= {result["memory"]["id"] for result in response.json()["results"]}
        elif sent.method == "POST":
            self.kept.add(response.json()["id"])

    def _request(self, n: int) -> Sent:
        key = f"{self.round}-{self.number}-{n}"
        match _PLAN[n % len(_PLAN)]:
            case "delete" if self.kept:
                return Sent("DELETE", f"/v1/memories/{min(self.kept)}", key)
            case "change" if self.kept:
                return Sent("PATCH", f"/v1/memories/{max(self.kept)}", key, {"content": f"an otter changed in {key}"})
            case "batch":
                items = [self._memory(key, item) for item in range(3)]
                return Sent("POST", "/v1/memories/batch", key, {"memories": items})
            case _:
                return Sent("POST", "/v1/memories", key, self._memory(key, 0))

    def _memory(self, key: str, item: int) -> dict[str, str]:
        return {"content": f"an otter of writer {key}, item {item}", "user_id": f"round {self.round}"}
