"""A tenant's user on a Redis server or cluster comes, is repaired, rotated and goes, on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import redis

from loci_contract import redis as names
from loci_dataplane.stores.redis.opening import RedisServer, redis_cache
from loci_dev.rigs.redis import redis as redis_server
from loci_dev.rigs.redis_cluster import redis_cluster
from loci_dev.tools.catalog import MissingToolError
from loci_operator.provision.ports import DriftError, ProvisionError, StoreAwayError
from loci_operator.provision.redis.provisioner import RedisProvisioner, Server

PASSWORD: Final = "made-up-password-of-tests"


@dataclass(frozen=True)
class Place:
    """A server or a cluster, whose default user is the administrator."""

    ports: tuple[int, ...]

    @property
    def provisioner(self) -> RedisProvisioner:
        return RedisProvisioner(Server(f"redis://127.0.0.1:{self.ports[0]}/0", is_cluster=len(self.ports) > 1))

    def address(self, tenant: str, password: str = PASSWORD, *, alternate: bool = False) -> RedisServer:
        user = names.user(tenant, alternate=alternate)
        return RedisServer(lambda: f"redis://{user}:{password}@127.0.0.1:{self.ports[0]}/0", len(self.ports) > 1)

    def on_every_node(self, *words: str) -> list[Any]:
        replies = []
        for port in self.ports:
            with redis.Redis(port=port, decode_responses=True) as admin:
                replies.append(admin.execute_command(*words))
        return replies


@pytest.fixture(scope="module", params=["server", "cluster"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    try:
        if request.param == "server":
            with redis_server(folder) as server:
                yield Place((server.port,))
        else:
            with redis_cluster(folder) as cluster:
                yield Place(tuple(node.port for node in cluster.nodes))
    except MissingToolError as error:
        pytest.skip(str(error))


async def test_the_cache_works_with_a_tenant_s_user(place: Place) -> None:
    await place.provisioner.prepare()
    await place.provisioner.create("acme", PASSWORD)
    await place.provisioner.verify("acme", PASSWORD)
    async with redis_cache(place.address("acme"), "acme") as cache:
        await cache.check()
        await cache.put("1", "otter", b"found")
        assert await cache.get("1", "otter") == b"found"
        await cache.clear()
        assert await cache.get("1", "otter") is None


async def test_creating_again_changes_nothing(place: Place) -> None:
    await place.provisioner.create("steady", PASSWORD)
    before = place.on_every_node("ACL", "GETUSER", names.user("steady"))
    await place.provisioner.create("steady", PASSWORD)
    assert place.on_every_node("ACL", "GETUSER", names.user("steady")) == before


DAMAGE: Final = {
    "gone": ["DELUSER"],
    "off": ["SETUSER", "off"],
    "password": ["SETUSER", "resetpass", ">other"],
    "no password": ["SETUSER", "nopass"],
    "another password": ["SETUSER", ">other"],
    "all keys": ["SETUSER", "allkeys"],
    "another's keys": ["SETUSER", "~t:{acme}:*"],
    "read only": ["SETUSER", "resetkeys", "%R~t:{broken}:*"],
    "channels": ["SETUSER", "allchannels"],
    "scripts": ["SETUSER", "+eval"],
    "category": ["SETUSER", "+@write"],
    "everything": ["SETUSER", "+@all"],
    "one command less": ["SETUSER", "-hget"],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
async def test_every_difference_is_noticed_and_repaired(place: Place, damage: list[str]) -> None:
    await place.provisioner.create("broken", PASSWORD)
    command, *rules = damage
    with redis.Redis(port=place.ports[-1]) as admin:
        admin.execute_command("ACL", command, names.user("broken"), *rules)
    with pytest.raises(DriftError):
        await place.provisioner.verify("broken", PASSWORD)
    await place.provisioner.create("broken", PASSWORD)
    await place.provisioner.verify("broken", PASSWORD)


async def test_old_and_new_credentials_are_valid_until_the_old_ones_are_retired(place: Place) -> None:
    provisioner = place.provisioner
    await provisioner.create("turning", PASSWORD)
    async with redis_cache(place.address("turning"), "turning") as old:
        await old.check()
        await provisioner.create("turning", "new", alternate=True)
        await provisioner.verify("turning", PASSWORD)
        async with redis_cache(place.address("turning", "new", alternate=True), "turning") as new:
            await new.check()
            await old.check()
            await provisioner.retire("turning", alternate=False)
            await new.check()
    with pytest.raises(DriftError):
        await provisioner.verify("turning", PASSWORD)
    await provisioner.verify("turning", "new", alternate=True)
    assert not place.on_every_node("ACL", "GETUSER", names.user("turning"))[0]


async def test_a_purge_leaves_nothing_of_this_tenant_and_all_of_others(place: Place) -> None:
    for tenant in ("gone", "gone-too"):
        await place.provisioner.create(tenant, PASSWORD)
        async with redis_cache(place.address(tenant), tenant) as cache:
            await cache.check()
            await cache.put("1", "otter", b"found")
    await place.provisioner.create("gone", "new", alternate=True)
    await place.provisioner.purge("gone")
    users = {line.split()[1] for lines in place.on_every_node("ACL", "LIST") for line in lines}
    assert not users & {names.user("gone"), names.user("gone", alternate=True)}
    assert not any(place.on_every_node("KEYS", f"{names.prefix('gone')}*"))
    await place.provisioner.verify("gone-too", PASSWORD)
    async with redis_cache(place.address("gone-too"), "gone-too") as cache:
        await cache.check()
        assert await cache.get("1", "otter") == b"found"
    await place.provisioner.purge("gone")


async def test_failures_are_told_apart(place: Place) -> None:
    with pytest.raises(StoreAwayError):
        await RedisProvisioner(Server("redis://127.0.0.1:1/0")).create("acme", PASSWORD)
    await place.provisioner.create("plain", PASSWORD)
    user = f"redis://{names.user('plain')}:{PASSWORD}@127.0.0.1:{place.ports[0]}/0"
    with pytest.raises(ProvisionError) as refused:
        await RedisProvisioner(Server(user)).create("acme", PASSWORD)
    with pytest.raises(ProvisionError):
        await RedisProvisioner(Server(user.replace(PASSWORD, "wrong"))).prepare()
    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize("name", ["", "a_b", "a b", "*", "a}:*", "A"])
async def test_a_name_that_is_no_tenant_s_is_refused(place: Place, name: str) -> None:
    for call in (place.provisioner.create, place.provisioner.verify):
        with pytest.raises(ValueError, match="not a valid tenant name"):
            await call(name, PASSWORD)
    with pytest.raises(ValueError, match="not a valid tenant name"):
        await place.provisioner.purge(name)
