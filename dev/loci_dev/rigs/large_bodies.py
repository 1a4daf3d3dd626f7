"""Clients that send a large body to a server that refuses it, each in its own way; they return the status they read."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import httpx

_PIECE: Final = b"x" * 65_536
_TIMEOUT: Final = 30.0

Headers = Mapping[str, str]


def _pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // len(_PIECE)):
        yield _PIECE


def with_http_client(url: httpx.URL, headers: Headers, size: int) -> int:
    """The standard library's http.client, Content-Length."""
    with contextlib.closing(http.client.HTTPConnection(url.host, url.port, timeout=_TIMEOUT)) as connection:
        connection.request("POST", url.path, b"x" * size, dict(headers))
        with connection.getresponse() as response:
            return response.status


def with_chunks(url: httpx.URL, headers: Headers, size: int) -> int:
    """The standard library's http.client, chunked."""
    with contextlib.closing(http.client.HTTPConnection(url.host, url.port, timeout=_TIMEOUT)) as connection:
        connection.request("POST", url.path, _pieces(size), dict(headers), encode_chunked=True)
        with connection.getresponse() as response:
            return response.status


def with_urllib(url: httpx.URL, headers: Headers, size: int) -> int:
    """urllib, which sends `Connection: close`."""
    request = urllib.request.Request(str(url), b"x" * size, dict(headers))  # noqa: S310 - http, on loopback
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310 - as above
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)


def with_httpx(url: httpx.URL, headers: Headers, size: int) -> int:
    """Httpx."""
    return httpx.post(url, content=b"x" * size, headers=dict(headers), timeout=_TIMEOUT).status_code


def with_expect(url: httpx.URL, headers: Headers, size: int) -> int:
    """A plain socket that waits for `100 Continue` or the response before it sends the body."""
    head = {"host": "loci", **headers, "content-length": str(size), "expect": "100-continue"}
    with socket.create_connection((url.host, url.port or 80), timeout=_TIMEOUT) as connection:
        connection.sendall(_head(url, head))
        response = connection.recv(65_536)
        if response.startswith(b"HTTP/1.1 100 "):
            response = response.partition(b"\r\n\r\n")[2]
            for piece in _pieces(size):
                connection.sendall(piece)
            response = response or connection.recv(65_536)
    return int(response.split(b" ", 2)[1])


def with_socket(url: httpx.URL, headers: Headers, size: int) -> int:
    """A plain socket that sends everything before it reads anything."""
    with socket.create_connection((url.host, url.port or 80), timeout=_TIMEOUT) as connection:
        connection.sendall(_head(url, {"host": "loci", **headers, "content-length": str(size)}))
        for piece in _pieces(size):
            connection.sendall(piece)
        return int(connection.recv(65_536).split(b" ", 2)[1])


def with_curl(url: httpx.URL, headers: Headers, size: int) -> int:
    """curl, where there is one."""
    curl = shutil.which("curl")
    if curl is None:
        return with_socket(url, headers, size)
    options = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = [curl, "-sS", "-o", "-", "-w", "\n%{http_code}", *options, "--data-binary", "@-", str(url)]
    done = subprocess.run(command, input=b"x" * size, capture_output=True, check=True, timeout=_TIMEOUT)
    return int(done.stdout.rsplit(b"\n", 1)[1])


def _head(url: httpx.URL, headers: Headers) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {url.path} HTTP/1.1\r\n{lines}\r\n".encode()


CLIENTS: Final[Mapping[str, Callable[[httpx.URL, Headers, int], int]]] = {
    "http.client": with_http_client,
    "chunked": with_chunks,
    "urllib": with_urllib,
    "httpx": with_httpx,
    "expect": with_expect,
    "socket": with_socket,
    "curl": with_curl,
}
