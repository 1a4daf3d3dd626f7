"""SQL statements for a tenant's share. Role and schema names derive from validated tenant names: no escaping needed."""

from __future__ import annotations

from typing import Final

from loci_contract import postgres as names

_POWERS: Final = "NOCREATEDB NOCREATEROLE NOINHERIT"
_SUPERUSER_POWERS: Final = f"{_POWERS} NOSUPERUSER NOREPLICATION NOBYPASSRLS"
"""Only a superuser may name the last three, even to take them away."""
SETTINGS: Final = {
    "statement_timeout": "15s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "15s",
    "idle_session_timeout": "5min",
    "search_path": '""',
}
"""Settings of the login role. A tenant can override them in its own sessions, so they only guard against mistakes; the
connection limit and the role's privileges guard against attackers."""

IS_SUPERUSER: Final = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"

CLOSE_DATABASE: Final = """
DO $$ BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  REVOKE ALL ON SCHEMA public FROM PUBLIC;
END $$
"""
IS_OPEN: Final = """
SELECT has_database_privilege('public', current_database(), 'CONNECT, TEMPORARY, CREATE')
  OR has_schema_privilege('public', 'public', 'CREATE')
"""
"""Whether the database lets every role in, or create objects."""

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


LOGINS: Final = "SELECT rolname FROM pg_roles WHERE rolname = ANY($1::text[])"


def logins(tenant: str) -> list[str]:
    """Names of both login roles."""
    return [names.login_role(tenant, alternate=alternate) for alternate in (False, True)]


def roles(owner: str, login: str, connection_limit: int, verifier: str, *, as_superuser: bool) -> str:
    """Create an owner and a login role, or restore their attributes."""
    powers = _SUPERUSER_POWERS if as_superuser else _POWERS
    assigned = "".join(f'ALTER ROLE "{login}" SET {name} = {_setting(value)};' for name, value in SETTINGS.items())
    return f"""
        {_create_role(owner)} ALTER ROLE "{owner}" {powers} NOLOGIN;
        {_create_role(login)}
        ALTER ROLE "{login}" {powers} LOGIN CONNECTION LIMIT {connection_limit} PASSWORD '{verifier}';
        {assigned}
    """


def schema(tenant: str, login: str, database: str) -> str:
    """Create the schema and let a login role connect."""
    owner, schema = names.owner_role(tenant), names.schema(tenant)
    return f"""
        GRANT "{owner}" TO CURRENT_USER;
        GRANT CONNECT ON DATABASE "{database}" TO "{login}";
        CREATE SCHEMA IF NOT EXISTS "{schema}" AUTHORIZATION "{owner}";
        ALTER SCHEMA "{schema}" OWNER TO "{owner}";
        REVOKE ALL ON SCHEMA "{schema}" FROM PUBLIC, "{login}";
    """


def purge(tenant: str) -> tuple[str, ...]:
    """Drop the schema, then all roles, in idempotent steps."""
    drop = _if_exists(
        names.owner_role(tenant),
        f'GRANT "{names.owner_role(tenant)}" TO CURRENT_USER; DROP SCHEMA IF EXISTS "{names.schema(tenant)}" CASCADE',
    )
    return drop, *(drop_role(role) for role in (*logins(tenant), names.owner_role(tenant)))


def close(login: str) -> str:
    """Revoke a role's right to log in."""
    return _if_exists(login, f'GRANT "{login}" TO CURRENT_USER; ALTER ROLE "{login}" NOLOGIN')


def _create_role(role: str) -> str:
    return f"""DO $$ BEGIN CREATE ROLE "{role}"; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"""


def drop_role(role: str) -> str:
    """Drop a role and its privileges, if it exists."""
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
