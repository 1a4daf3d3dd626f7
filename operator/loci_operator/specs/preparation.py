"""Init container that prepares the tenant's own stores: its schema in PostgreSQL, its collection in Chroma.

It runs in the data plane's pod, so that nothing else needs to reach the stores. Only it has the superuser's password.
"""

from __future__ import annotations

from typing import Final

from loci_contract import environment
from loci_operator.specs.context import Context, Manifest
from loci_operator.specs.dedicated import postgres
from loci_operator.specs.dedicated.server import mount
from loci_operator.specs.security import container_security
from loci_operator.specs.store_environment import CONFIG, DATA, env, store_environment
from loci_operator.specs.stores import POSTGRES_ADMIN

_ADMIN: Final = "/etc/loci-admin"
_RESOURCES: Final = {"requests": {"cpu": "20m", "memory": "96Mi"}, "limits": {"memory": "256Mi"}}


def init_container(context: Context) -> Manifest | None:
    """`loci prepare-stores`, where the tenant has a PostgreSQL or Chroma of its own."""
    if not (_has_postgres(context) or _has_chroma(context)):
        return None
    return {
        "name": "prepare-stores",
        "image": context.platform.image,
        "args": ["prepare-stores"],
        "env": env(_environment(context)),
        "resources": _RESOURCES,
        "securityContext": container_security(),
        "volumeMounts": [
            mount("data", DATA),
            mount("config", CONFIG, read_only=True),
            mount("tmp", "/tmp"),  # noqa: S108 - an emptyDir of the pod
            *([mount("admin", _ADMIN, read_only=True)] if _has_postgres(context) else []),
        ],
    }


def admin_volumes(context: Context) -> list[Manifest]:
    """Volume with the superuser's password, for the init container alone."""
    if not _has_postgres(context):
        return []
    secret = {"secretName": "loci-postgres", "defaultMode": 0o440}
    return [{"name": "admin", "secret": secret}]


def _environment(context: Context) -> dict[str, str]:
    variables = {
        environment.TENANT: context.name,
        environment.LOG_LEVEL_FILE: f"{CONFIG}/{environment.LOG_LEVEL_FILE_NAME}",
    }
    stores = store_environment(context)
    if _has_postgres(context):
        variables |= {
            environment.POSTGRES_DSN_FILE: stores[environment.POSTGRES_DSN_FILE],
            environment.POSTGRES_ADMIN_USER: postgres.SUPERUSER,
            environment.POSTGRES_ADMIN_PASSWORD_FILE: f"{_ADMIN}/{POSTGRES_ADMIN}",
        }
    if _has_chroma(context):
        names = (environment.CHROMA_URL, environment.CHROMA_TOKEN_FILE, environment.CHROMA_COLLECTION_FILE)
        variables |= {name: stores[name] for name in names}
    return variables


def _has_postgres(context: Context) -> bool:
    return context.stores.postgres is not None and context.stores.postgres.admin_password is not None


def _has_chroma(context: Context) -> bool:
    return context.stores.chroma is not None and context.stores.chroma.collection is None
