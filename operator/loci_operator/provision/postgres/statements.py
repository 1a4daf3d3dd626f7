"""SQL statements for a tenant's share. Role and schema names derive from validated tenant names: no escaping needed."""

from __future__ import annotations

from typing import Final

from loci_contract import postgres as names

_POWERS: Final = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT"
SETTINGS: Final = {
    "statement_timeout": "15s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "15s",
    "idle_session_timeout": "5min",
    "search_path": '""',
}
"""Settings of the login role. A tenant can override them in its own sessions, so they only guard against mistakes; the
connection limit and the role's privileges guard against attackers."""

CLOSE_DATABASES: Final = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT datname FROM pg_database LOOP
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', name);
  END LOOP;
END $$
"""

# The first deviation of a share from its desired state, or null. Role settings are compared in their stored form.
PROBLEM: Final = """
SELECT CASE
  WHEN l.oid IS NULL OR o.oid IS NULL OR n.oid IS NULL THEN 'a role or the schema is missing'
  WHEN n.nspowner <> o.oid THEN 'the schema belongs to another role'
  WHEN o.rolcanlogin THEN 'the owner can log in'
  WHEN NOT l.rolcanlogin THEN 'the login role cannot log in'
  WHEN l.rolsuper OR l.rolcreatedb OR l.rolcreaterole OR l.rolreplication OR l.rolbypassrls OR l.rolinherit
    OR o.rolsuper OR o.rolcreatedb OR o.rolcreaterole OR o.rolreplication OR o.rolbypassrls
    OR EXISTS (SELECT FROM pg_auth_members WHERE member IN (l.oid, o.oid)) THEN 'a role has server-wide privileges'
  WHEN l.rolconnlimit <> $4 THEN 'the connection limit differs'
  WHEN NOT coalesce(l.rolconfig, '{}') @> $5::text[] THEN 'the settings of the login role differ'
  WHEN NOT has_database_privilege(l.oid, current_database(), 'CONNECT') THEN 'the login role may not connect'
  WHEN NOT has_schema_privilege(l.oid, n.oid, 'USAGE') THEN 'the login role may not use the schema'
  WHEN has_schema_privilege(l.oid, n.oid, 'CREATE') THEN 'the login role may create tables'
END
FROM (VALUES ($1, $2, $3)) AS wanted (login, owner, schema)
LEFT JOIN pg_roles l ON l.rolname = login LEFT JOIN pg_roles o ON o.rolname = owner
LEFT JOIN pg_namespace n ON n.nspname = schema
"""


HOLDER: Final = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = $1"


def hand_over(tenant: str, uid: str) -> str:
    """Note whose schema it is; `uid` is of Kubernetes' form, letters, digits and `-`."""
    if not uid.replace("-", "").isalnum():
        raise ValueError("not a uid")
    return f"""COMMENT ON SCHEMA "{names.schema(tenant)}" IS '{uid}'"""


def settings() -> list[str]:
    """Settings of the login role in PostgreSQL's storage format."""
    return [f"{name}={value}" for name, value in SETTINGS.items()]


def roles(tenant: str, connection_limit: int, verifier: str) -> str:
    """Create both roles, or restore their attributes."""
    login, owner = names.login_role(tenant), names.owner_role(tenant)
    assigned = "".join(f'ALTER ROLE "{login}" SET {name} = {_setting(value)};' for name, value in SETTINGS.items())
    return f"""
        {_create_role(owner)} ALTER ROLE "{owner}" {_POWERS} NOLOGIN;
        {_create_role(login)}
        ALTER ROLE "{login}" {_POWERS} LOGIN CONNECTION LIMIT {connection_limit} PASSWORD '{verifier}';
        {assigned}
    """


def schema(tenant: str, database: str) -> str:
    """Create the schema and let the login role connect."""
    login, owner, schema = names.login_role(tenant), names.owner_role(tenant), names.schema(tenant)
    return f"""
        GRANT "{owner}" TO CURRENT_USER;
        GRANT CONNECT ON DATABASE "{database}" TO "{login}";
        CREATE SCHEMA IF NOT EXISTS "{schema}" AUTHORIZATION "{owner}";
        ALTER SCHEMA "{schema}" OWNER TO "{owner}";
        REVOKE ALL ON SCHEMA "{schema}" FROM PUBLIC, "{login}";
    """


def purge(tenant: str) -> tuple[str, ...]:
    """Drop the schema, then the roles that own it, in idempotent steps."""
    login, owner = names.login_role(tenant), names.owner_role(tenant)
    drop = f'DROP SCHEMA IF EXISTS "{names.schema(tenant)}" CASCADE'
    return drop, _drop_role(login), _drop_role(owner)


def close(tenant: str) -> str:
    """Revoke the login role's right to log in."""
    return _if_exists(names.login_role(tenant), f'ALTER ROLE "{names.login_role(tenant)}" NOLOGIN')


def _create_role(role: str) -> str:
    return f"""DO $$ BEGIN CREATE ROLE "{role}"; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"""


def _drop_role(role: str) -> str:
    steps = f'GRANT "{role}" TO CURRENT_USER; DROP OWNED BY "{role}"; DROP ROLE "{role}"'
    return _if_exists(role, steps)


def _if_exists(role: str, steps: str) -> str:
    return f"""
        DO $$ BEGIN
          IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN {steps}; END IF;
        END $$
    """


def _setting(value: str) -> str:
    return "''" if value == '""' else f"'{value}'"
