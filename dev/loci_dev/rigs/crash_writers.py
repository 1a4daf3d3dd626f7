"""Clients that write until the connection breaks, and know exactly what must be there afterwards."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

_PLAN: Final = ("add", "add", "delete", "batch", "change", "delete slot", "add", "add")
_ERASING: Final = ("batch", "add", "erase", "add", "batch", "erase", "delete", "add")
"""An erasure waits for those before it, so only some writers make one."""
_ERASURES: Final = "/v1/erasures"


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
    """One client's round: `kept` and `deleted` are ids whose 2xx was received, `open` what had no response.

    Every memory names an entity and has a slot in its metadata, which deletions by filter and erasures name.
    """

    round: int
    number: int
    erasing: bool = False
    kept: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    erasures: list[str] = field(default_factory=list)
    slots: dict[str, set[str]] = field(default_factory=dict)
    open: Sent | None = None

    def run(self, client: httpx.Client, first: threading.Event) -> None:
        """Write until all is written or the connection breaks."""
        for n in range(len(_PLAN)):
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
        if first.content != second.content and self.open.path != _ERASURES:
            raise AssertionError("a retry got another response")
        self.note(self.open, first)
        self.open = None

    def unfinished(self, client: httpx.Client) -> list[str]:
        """Return the erasures that are not complete."""
        states = {i: client.get(f"{_ERASURES}/{i}").raise_for_status().json()["status"] for i in self.erasures}
        return [i for i, status in states.items() if status != "complete"]

    def note(self, sent: Sent, response: httpx.Response) -> None:
        """Count what a response acknowledges."""
        if sent.path == _ERASURES:
            self.erasures.append(response.json()["id"])
            self._drop(sent.body["filters"]["metadata.slot"])
        elif sent.method == "DELETE" and sent.body:
            self._drop(sent.body["filters"]["metadata.slot"])
        elif sent.method == "DELETE":
            memory_id = sent.path.rpartition("/")[2]
            self.kept.discard(memory_id)
            self.deleted.add(memory_id)
        elif sent.path.endswith("/batch"):
            self._keep(sent.key, {result["memory"]["id"] for result in response.json()["results"]})
        elif sent.method == "POST":
            self._keep(sent.key, {response.json()["id"]})

    def _keep(self, slot: str, ids: set[str]) -> None:
        self.kept |= ids
        self.slots[slot] = ids

    def _drop(self, slot: str) -> None:
        ids = self.slots.pop(slot)
        self.kept -= ids
        self.deleted |= ids

    def _request(self, n: int) -> Sent:
        key = f"{self.round}-{self.number}-{n}"
        plan: tuple[str, ...] = _ERASING if self.erasing else _PLAN
        match plan[n]:
            case "delete" if self.kept:
                return Sent("DELETE", f"/v1/memories/{min(self.kept)}", key)
            case "change" if self.kept:
                return Sent("PATCH", f"/v1/memories/{max(self.kept)}", key, {"content": f"Ada likes otters of {key}"})
            case "delete slot" if self.slots:
                return Sent("DELETE", "/v1/memories", key, self._slot())
            case "erase" if self.slots:
                return Sent("POST", _ERASURES, key, self._slot())
            case "batch":
                items = [self._memory(key, item) for item in range(3)]
                return Sent("POST", "/v1/memories/batch", key, {"memories": items})
            case _:
                return Sent("POST", "/v1/memories", key, self._memory(key, 0))

    def _slot(self) -> dict[str, Any]:
        return {"filters": {"user_id": f"round {self.round}", "metadata.slot": next(iter(self.slots))}}

    def _memory(self, key: str, item: int) -> dict[str, Any]:
        content = f"Ada likes otters, wrote {key}, item {item}"
        return {"content": content, "user_id": f"round {self.round}", "metadata": {"slot": key}}
