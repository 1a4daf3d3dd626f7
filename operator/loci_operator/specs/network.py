"""Network policies of a tenant: deny all traffic by default, then allow the listed peers."""

from __future__ import annotations

from collections.abc import Sequence

from loci_contract.names import DATAPLANE_PORT, EMBEDDER_PORT
from loci_operator.specs.context import Context, Manifest, metadata, selector
from loci_operator.specs.dedicated.all import servers
from loci_operator.specs.dedicated.server import peer
from loci_operator.specs.stores import address_ports
from loci_resources.storage import StoreKind

_DNS_PORT = 53


def default_deny(context: Context) -> Manifest:
    """Deny all ingress and egress of every pod in the namespace."""
    # The empty lists are explicit, so that server-side apply reverts rules that others add.
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [], "egress": []}
    return _policy(context, "default-deny", spec)


def data_plane(context: Context) -> Manifest:
    """Allow traffic from the ingress, Prometheus and `allowFrom` namespaces, and to DNS, the embedder and stores."""
    callers = [
        _pods(context.platform.system_namespace, "ingress"),
        _namespace(context.platform.prometheus_namespace),
        *(_namespace(name) for name in context.tenant.spec.network.allow_from),
    ]
    spec = {
        "podSelector": {"matchLabels": selector(context)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": callers, "ports": [_port(DATAPLANE_PORT)]}],
        "egress": [
            {"ports": [_port(_DNS_PORT, "UDP"), _port(_DNS_PORT)]},
            {"to": [_pods(context.platform.system_namespace, "embedder")], "ports": [_port(EMBEDDER_PORT)]},
            *_to_stores(context),
            *(context.platform.otlp_egress if context.platform.otlp_endpoint else ()),
        ],
    }
    return _policy(context, "loci-dataplane", spec)


def _to_stores(context: Context) -> list[Manifest]:
    places, platform = context.placement, context.platform
    has_shared_cache = places.cache is StoreKind.SHARED and context.stores.redis
    return [
        *(platform.postgres_egress if places.records is StoreKind.SHARED else ()),
        *(platform.chroma_egress if places.vectors is StoreKind.SHARED else ()),
        *(platform.redis_egress if has_shared_cache else ()),
        *_to_external_stores(context),
        *({"to": [peer(server.component, context)], "ports": [_port(server.port)]} for server in servers(context)),
    ]


def _to_external_stores(context: Context) -> list[Manifest]:
    external, access = context.tenant.spec.storage.external, context.stores
    stores = (
        (external.postgres, access.postgres and access.postgres.dsn),
        (external.chroma, access.chroma and access.chroma.url),
        (external.neo4j, access.neo4j and access.neo4j.url),
        (external.redis, access.redis and access.redis.url),
    )
    return [_to_external(store.cidrs, address) for store, address in stores if store and address]


def _to_external(cidrs: Sequence[str], address: str) -> Manifest:
    peers = [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]
    return {**({"to": peers} if peers else {}), "ports": [_port(number) for number in address_ports(address)]}


def _policy(context: Context, name: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(context, name),
        "spec": spec,
    }


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _pods(namespace: str, component: str) -> Manifest:
    return {**_namespace(namespace), "podSelector": {"matchLabels": {"app.kubernetes.io/component": component}}}


def _port(number: int, protocol: str = "TCP") -> Manifest:
    return {"port": number, "protocol": protocol}
