"""A tenant's own Redis with the configuration that the operator makes: the cache works in it, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from loci_dataplane.stores.redis.opening import RedisServer, redis_cache
from loci_dev.rigs.contexts import DEDICATED
from loci_dev.rigs.processes import free_port, is_listening, running
from loci_dev.tools.catalog import tool
from loci_operator.specs.dedicated.redis import redis as redis_server


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address with the tenant's login."""
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    url = f"redis://loci:cache-of-acme@127.0.0.1:{port}/0"
    text = redis_server(DEDICATED.redis, url).secrets["redis.conf"]
    (file := folder / "redis.conf").write_text(text.replace("port 6379", f"port {port}").replace("/tmp", str(folder)))
    with running([tool("redis-server"), file], folder / "redis.log", ready=lambda: is_listening(port)):
        yield url


async def test_the_data_planes_cache_works_with_the_tenants_login(url: str) -> None:
    async with redis_cache(RedisServer(lambda: url), "acme") as cache:
        await cache.check()
        await cache.put("generation", "query", b"result")
        assert await cache.get("generation", "query") == b"result"
        await cache.clear()
        assert await cache.get("generation", "query") is None


@pytest.mark.invariant(1)
@pytest.mark.parametrize("login", ["", ":cache-of-acme@", "default:cache-of-acme@", "loci:guess@", "tenant:acme@"])
def test_no_other_login_is_taken(url: str, login: str) -> None:
    address = f"redis://{login}{url.rpartition('@')[2]}"
    with redis.Redis.from_url(address) as client, pytest.raises((AuthenticationError, ResponseError)):
        client.get("anything")


@pytest.mark.parametrize("command", ["CONFIG GET *", "ACL LIST", "FLUSHALL", "KEYS *", "SAVE", "SHUTDOWN", "MONITOR"])
def test_the_login_administers_nothing(url: str, command: str) -> None:
    with redis.Redis.from_url(url) as client, pytest.raises(NoPermissionError):
        client.execute_command(*command.split())
