"""`loci drain`: let Envoy finish its requests before the ingress pod stops; the pod's preStop hook.

Envoy's image has no shell and Envoy exits at once on SIGTERM, so the policy's container drains it through the admin
interface on the pod's loopback address. While it drains, Envoy still accepts connections (load balancers learn of a
terminating pod with a delay) but answers with `Connection: close` (HTTP/1) or GOAWAY (HTTP/2). Once no request is
active, Envoy is told to exit. The hook returns after `drain_seconds` at the latest; requests active then are cut.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from typing import Final

from loci_policy.settings import DrainSettings

_ACTIVE: Final = "http.ingress.downstream_rq_active"
_INTERVAL: Final = 0.2
_ANSWER_SECONDS: Final = 2.0


def main() -> None:
    """Drain Envoy as the settings say."""
    settings = DrainSettings()
    drain(Envoy(settings.envoy_admin_port), settings.drain_seconds, settings.drain_min_seconds)


class Envoy:
    """The admin interface of the Envoy beside this process."""

    def __init__(self, port: int) -> None:
        self._port = port

    def start_draining(self) -> None:
        """Close connections as their responses end, and the listeners after Envoy's drain time."""
        self._call("POST", "/drain_listeners?graceful&skip_exit")

    def active_requests(self) -> int:
        """The number of requests that clients wait for."""
        return int(self._call("GET", f"/stats?filter=^{_ACTIVE}$").rpartition(":")[2])

    def exit(self) -> None:
        """Make Envoy exit."""
        self._call("POST", "/quitquitquit")

    def _call(self, method: str, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ANSWER_SECONDS)
        try:
            connection.request(method, path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()


def drain(
    envoy: Envoy,
    longest: float,
    shortest: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Drain Envoy for at least `shortest` seconds, until no request is active, for at most `longest` seconds."""
    started = clock()
    envoy.start_draining()
    while (passed := clock() - started) < longest:
        if passed >= shortest and not envoy.active_requests():
            break
        sleep(_INTERVAL)
    envoy.exit()


if __name__ == "__main__":
    main()
