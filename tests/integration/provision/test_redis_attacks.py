"""Attacks with a tenant's real Redis user are refused by the server.

Each attack is seen succeeding once with the isolation taken away: with the server's default user.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
import redis

from loci_contract import redis as names
from loci_dev.rigs.redis import Redis
from loci_dev.rigs.redis import redis as redis_server
from loci_dev.tools.catalog import MissingToolError
from loci_operator.provision.redis.provisioner import RedisProvisioner, Server, rules

PASSWORD: Final = "made-up-password-of-tests"
VICTIM: Final = "t:{acme}:results"
OWN: Final = "t:{mallory}:results"
LIBRARY: Final = (
    "#!lua name=spy\nredis.register_function('spy', function(keys) return redis.call('HGETALL', keys[1]) end)"
)
ATTACKS: Final[dict[str, tuple[str, ...]]] = {
    "read": ("HGET", VICTIM, "q"),
    "read all": ("HGETALL", VICTIM),
    "read own in other ways": ("HGETALL", OWN),
    "exists": ("EXISTS", VICTIM),
    "type": ("TYPE", VICTIM),
    "count": ("HLEN", VICTIM),
    "time left": ("TTL", VICTIM),
    "write": ("HSET", VICTIM, "q", "mine"),
    "delete": ("UNLINK", VICTIM),
    "delete both": ("UNLINK", OWN, VICTIM),
    "expire": ("EXPIRE", VICTIM, "100"),
    "other prefix": ("HSET", "t:{mallory", "q", "v"),
    "bucket": ("HSET", "b:{acme}", "tokens", "1000"),
    "copy": ("COPY", VICTIM, OWN, "REPLACE"),
    "rename": ("RENAME", "t:{acme}:spare", "t:{acme}:other"),
    "dump": ("DUMP", VICTIM),
    "memory": ("MEMORY", "USAGE", VICTIM),
    "object": ("OBJECT", "ENCODING", VICTIM),
    "keys": ("KEYS", "*"),
    "scan": ("SCAN", "0"),
    "random key": ("RANDOMKEY",),
    "size": ("DBSIZE",),
    "sort": ("SORT", "t:{acme}:list", "BY", "nosort"),
    "eval": ("EVAL", "return redis.call('HGETALL', KEYS[1])", "1", VICTIM),
    "eval on own key": ("EVAL", "return 1", "1", OWN),
    "eval without keys": ("EVAL", "return redis.call('KEYS', '*')", "0"),
    "read-only eval": ("EVAL_RO", "return 1", "0"),
    "script": ("SCRIPT", "LOAD", "return 1"),
    "script flush": ("SCRIPT", "FLUSH"),
    "function load": ("FUNCTION", "LOAD", "REPLACE", LIBRARY),
    "function list": ("FUNCTION", "LIST"),
    "function flush": ("FUNCTION", "FLUSH"),
    "function call": ("FCALL", "spy", "1", OWN),
    "config get": ("CONFIG", "GET", "dir"),
    "config set": ("CONFIG", "SET", "maxmemory", "0"),
    "client list": ("CLIENT", "LIST"),
    "client kill": ("CLIENT", "KILL", "TYPE", "pubsub"),
    "client pause": ("CLIENT", "PAUSE", "1"),
    "acl list": ("ACL", "LIST"),
    "acl users": ("ACL", "USERS"),
    "acl of another": ("ACL", "GETUSER", "default"),
    "acl set": ("ACL", "SETUSER", "nobody", "+@write"),
    "acl who": ("ACL", "WHOAMI"),
    "debug": ("DEBUG", "JMAP"),
    "publish": ("PUBLISH", "c", "m"),
    "channels": ("PUBSUB", "CHANNELS"),
    "info": ("INFO",),
    "slow log": ("SLOWLOG", "GET"),
    "latency": ("LATENCY", "LATEST"),
    "swap": ("SWAPDB", "0", "1"),
    "move": ("MOVE", "t:{acme}:spare", "2"),
    "another database": ("SELECT", "1"),
    "save": ("SAVE",),
    "background save": ("BGSAVE", "SCHEDULE"),
    "replicate": ("REPLICAOF", "NO", "ONE"),
    "module": ("MODULE", "LIST"),
    "wait": ("WAIT", "0", "1"),
    "block": ("BLPOP", "t:{mallory}:list", "0.01"),
    "flush all": ("FLUSHALL",),
    "flush": ("FLUSHDB",),
}
STREAMING: Final = {"monitor": "MONITOR", "subscribe": "SUBSCRIBE c", "pattern": "PSUBSCRIBE *", "sync": "PSYNC ? -1"}
NEVER: Final = {"debug"}
"""Refused to everybody by Redis 7's defaults."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    try:
        with redis_server(tmp_path_factory.mktemp("redis")) as started:
            with redis.Redis(port=started.port) as admin:
                for tenant in ("acme", "mallory"):
                    admin.execute_command("ACL SETUSER", names.user(tenant), *rules(tenant, PASSWORD))
            yield started
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture
def filled(running: Redis) -> Redis:
    """The server with acme's data and a function."""
    with redis.Redis(port=running.port) as admin:
        admin.hset(VICTIM, "q", "a secret of acme")
        admin.hset(OWN, "q", "v")
        admin.set("t:{acme}:spare", "v")
        admin.delete("t:{acme}:list")
        admin.rpush("t:{acme}:list", "1")
        admin.function_load(LIBRARY, replace=True)
    return running


def mallory(server: Redis) -> redis.Redis:
    return redis.Redis(port=server.port, username=names.user("mallory"), password=PASSWORD)


@pytest.mark.invariant(1)
@pytest.mark.parametrize("name", ATTACKS)
def test_the_server_refuses(filled: Redis, name: str) -> None:
    with mallory(filled) as attacker, pytest.raises(redis.ResponseError) as refused:
        attacker.execute_command(*ATTACKS[name])
    assert isinstance(refused.value, redis.exceptions.NoPermissionError) or name in NEVER
    with redis.Redis(port=filled.port) as admin:
        assert admin.hgetall(VICTIM) == {b"q": b"a secret of acme"}


@pytest.mark.parametrize("name", [name for name in ATTACKS if name not in NEVER])
def test_the_attack_succeeds_with_the_isolation_taken_away(filled: Redis, name: str) -> None:
    with redis.Redis(port=filled.port) as admin:
        admin.execute_command(*ATTACKS[name])


@pytest.mark.parametrize("name", STREAMING)
def test_the_server_refuses_to_stream(filled: Redis, name: str) -> None:
    with mallory(filled) as attacker:
        connection = attacker.connection_pool.get_connection()
        connection.send_command(*STREAMING[name].split(" "))
        with pytest.raises(redis.exceptions.NoPermissionError):
            connection.read_response()
        connection.disconnect()


@pytest.mark.parametrize("name", STREAMING)
def test_it_streams_with_the_isolation_taken_away(filled: Redis, name: str) -> None:
    with redis.Redis(port=filled.port, protocol=2) as admin:
        connection = admin.connection_pool.get_connection()
        connection.send_command(*STREAMING[name].split(" "))
        assert connection.read_response() is not None
        connection.disconnect()


def test_a_transaction_is_no_way_around(filled: Redis) -> None:
    with mallory(filled) as attacker, pytest.raises(redis.ResponseError):
        attacker.pipeline(transaction=True).hget(VICTIM, "q").execute()


def test_nobody_logs_in_with_another_s_password(filled: Redis) -> None:
    with (
        redis.Redis(port=filled.port, username=names.user("acme"), password="guessed") as attacker,
        pytest.raises(redis.exceptions.AuthenticationError),
    ):
        attacker.ping()


def test_the_tenant_itself_reads_and_writes(filled: Redis) -> None:
    with mallory(filled) as tenant:
        tenant.hset(OWN, "q", "mine")
        assert tenant.hget(OWN, "q") == b"mine"
        assert tenant.unlink(OWN) == 1


async def test_the_attacked_user_is_the_provisioner_s(running: Redis) -> None:
    provisioner = RedisProvisioner(Server(running.url))
    await provisioner.verify("mallory", PASSWORD)
