"""`pytest --invariant N`: run the tests that hold one of the design's invariants."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--invariant", type=int, metavar="N", help="run only the tests marked with invariant N")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    number = config.getoption("--invariant")
    if number is None:
        return
    kept = [item for item in items if any(number in mark.args for mark in item.iter_markers("invariant"))]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
