"""Serve the OpenAPI document and Swagger UI. No API key is needed, since the document contains no tenant data.

Swagger UI is bundled as static files; the page loads nothing from other origins.
"""

from __future__ import annotations

import functools
from importlib.resources import files
from pathlib import Path
from typing import Final

from swagger_ui_bundle import swagger_ui_path

from loci_policy.responses import JSON, Response

_TYPES: Final = {"swagger-ui.css": b"text/css", "swagger-ui-bundle.js": b"text/javascript"}
_SAFE: Final = (
    (b"content-security-policy", b"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"),
    (b"x-content-type-options", b"nosniff"),
)
_PAGE: Final = b"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Loci API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/page.js"></script>
</body>
</html>
"""
_SCRIPT: Final = b"""SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#page", validatorUrl: null, deepLinking: true, defaultModelsExpandDepth: 0
});
"""


@functools.cache
def openapi() -> Response:
    """The OpenAPI document."""
    return Response(200, (JSON,), files(__package__).joinpath("openapi.json").read_bytes())


def page() -> Response:
    """The Swagger UI page."""
    return Response(200, ((b"content-type", b"text/html; charset=utf-8"), *_SAFE), _PAGE)


def asset(name: str) -> Response | None:
    """A static file of the page, or None if there is none of this name."""
    if name == "page.js":
        return Response(200, ((b"content-type", b"text/javascript"), *_SAFE), _SCRIPT)
    return _file(name) if name in _TYPES else None


@functools.cache
def _file(name: str) -> Response:
    headers = ((b"content-type", _TYPES[name]), (b"cache-control", b"max-age=86400"), *_SAFE)
    return Response(200, headers, (Path(swagger_ui_path) / name).read_bytes())
