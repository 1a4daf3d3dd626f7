"""`pytest --invariant N`: run the tests that hold one of the design's invariants."""

import pytest
from hypothesis import HealthCheck, settings

# How fast inputs are made says more about the machine's load than about a test.
settings.register_profile("loci", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("loci")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--invariant", type=int, metavar="N", help="run only the tests marked with invariant N")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    number = config.getoption("--invariant")
    if number is None:
        return
    kept = [item for item in items if any(number in mark.args for mark in item.iter_markers("invariant"))]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
