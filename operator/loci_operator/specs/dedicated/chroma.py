"""Chroma of a tenant's own, behind an Envoy that asks for the tenant's token.

Chroma has no authentication, so it listens on its pod's loopback address alone.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from loci_contract.chroma import COLLECTIONS, HEARTBEAT, PREFLIGHT
from loci_operator.specs.dedicated.server import CONFIG, DATA, Server, container, mount, probes
from loci_operator.specs.stores import ChromaAccess, ServerSettings

PORT: Final = 8000
_SERVER_PORT: Final = 8001
_FILE: Final = "envoy.json"
_HTTP: Final = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_RBAC: Final = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"
_ROUTER: Final = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def chroma(settings: ServerSettings, gate: ServerSettings, access: ChromaAccess) -> Server:
    """One server with a volume, and the gate before it."""
    server = container(
        "chroma",
        settings.image,
        settings.resources,
        command=["chroma", "run", "--host", "127.0.0.1", "--port", str(_SERVER_PORT), "--path", f"{DATA}/chroma"],
        env=[{"name": "ANONYMIZED_TELEMETRY", "value": "False"}],
        volumeMounts=[mount("data", DATA), mount("tmp", "/tmp")],  # noqa: S108 - an emptyDir of the pod
    )
    # Through Envoy to Chroma: ready means that both serve.
    check = {"httpGet": {"path": HEARTBEAT, "port": PORT}}
    envoy = container(
        "gate",
        gate.image,
        gate.resources,
        args=["--config-path", f"{CONFIG}/{_FILE}", "--log-level", "warning", "--concurrency", "1"],
        ports=[{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        volumeMounts=[mount("config", CONFIG, read_only=True), mount("tmp", "/tmp")],  # noqa: S108
        **probes(check, start_seconds=300),
    )
    return Server("chroma", PORT, (server, envoy), {_FILE: orjson.dumps(envoy_config(access.token)).decode()})


def envoy_config(token: str, port: int = PORT, server_port: int = _SERVER_PORT) -> dict[str, Any]:
    """Configuration of the gate: the token opens collections; without it, a caller learns whether the server is up."""
    http = {
        "@type": _HTTP,
        "stat_prefix": "chroma",
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "common_http_protocol_options": {"idle_timeout": "300s", "headers_with_underscores_action": "REJECT_REQUEST"},
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "30s",
        "request_timeout": "30s",
        "http_filters": [
            {"name": "envoy.filters.http.rbac", "typed_config": {"@type": _RBAC, "rules": _rules(token)}},
            {"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}},
        ],
        "route_config": {"virtual_hosts": [{"name": "chroma", "domains": ["*"], "routes": [_ROUTE]}]},
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": http}]}
    listener = {
        "name": "chroma",
        "address": _address("0.0.0.0", port),  # noqa: S104 - the data plane connects from other pods
        "per_connection_buffer_limit_bytes": 65536,
        "filter_chains": [chain],
    }
    return {"static_resources": {"listeners": [listener], "clusters": [_cluster(server_port)]}}


_ROUTE: Final = {
    "match": {"prefix": "/"},
    "request_headers_to_remove": ["authorization"],
    "route": {"cluster": "chroma", "timeout": "30s"},
}


def _rules(token: str) -> dict[str, Any]:
    has_token = {"header": {"name": "authorization", "string_match": {"exact": f"Bearer {token}"}}}
    open_paths = [{"url_path": {"path": {"exact": path}}} for path in (HEARTBEAT, PREFLIGHT)]
    collections = {"url_path": {"path": {"prefix": COLLECTIONS}}}
    return {
        "action": "ALLOW",
        "policies": {
            "tenant": {"permissions": [collections], "principals": [has_token]},
            "anyone": {"permissions": open_paths, "principals": [{"any": True}]},
        },
    }


def _cluster(port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address("127.0.0.1", port)}}
    return {
        "name": "chroma",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": "chroma", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
