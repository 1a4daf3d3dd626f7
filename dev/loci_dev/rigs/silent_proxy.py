"""A TCP proxy that can fall silent, as a network that drops packets does: connections stay open, nothing arrives."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Final

_CHUNK: Final = 65_536


class SilentProxy:
    """Forwards to one port of this machine; `silence()` makes every connection that is open a half-open one."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._generation = 0
        self._sockets: list[socket.socket] = []
        self.silenced = 0
        """How many connections fell silent."""

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def silence(self) -> None:
        """Forward nothing any more on the connections there are; new ones work."""
        with self._lock:
            self._generation += 1
            self.silenced += len(self._sockets) // 2

    def serve(self) -> None:
        """Accept connections until closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._forward(client)

    def close(self) -> None:
        """Close everything."""
        for open_socket in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()

    def _forward(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._target))
        with self._lock:
            self._sockets += [client, server]
            generation = self._generation
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self._pump, args=(source, sink, generation), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, generation: int) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(_CHUNK):
                if generation == self._generation:
                    sink.sendall(content)
            if generation == self._generation:
                sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def silent_proxy(target: int) -> Iterator[SilentProxy]:
    """A proxy to a port, for the length of the block."""
    proxy = SilentProxy(target)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(5)
