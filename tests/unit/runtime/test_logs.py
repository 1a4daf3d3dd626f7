"""What a process writes to its log: one JSON object a line, whoever logs, and no value from an exception."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from loci_dev.rigs.processes import wait_until
from loci_runtime import logs, serving
from loci_runtime.settings import ProcessSettings


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_our_own_events_are_json_from_the_chosen_level_upwards(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    logs.configure("info")
    structlog.get_logger().debug("hidden")
    structlog.get_logger().info("said", tenant_id="acme")
    (line,) = capfdbinary.readouterr().out.splitlines()
    said = json.loads(line)
    assert said.pop("timestamp").endswith("Z")
    assert said == {"event": "said", "level": "info", "tenant_id": "acme"}


def test_a_librarys_failure_is_json_without_what_the_exception_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    logging.getLogger("library").info("hidden")
    try:
        int("canary")
    except ValueError:
        logging.getLogger("library").exception("it failed")
    (line,) = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"], said["logger"], said["error"]) == (
        "it failed",
        "error",
        "library",
        "ValueError",
    )
    assert said["where"].startswith("test_a_librarys_failure")
    assert "canary" not in line


async def test_asyncio_says_that_a_task_failed_and_not_what_it_raised(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")

    async def fail() -> None:
        raise ValueError("canary")

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect()
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["event"] == "Task exception was never retrieved"
    assert json.loads(line)["error"] == "ValueError"
    assert "canary" not in line


async def test_a_changed_level_file_says_each_level_once_and_nonsense_never(tmp_path: Path) -> None:
    path = tmp_path / "log-level"
    path.write_text("info\n")
    levels = logs.levels(path, seconds=0.001)
    assert await anext(levels) == "info"
    following = asyncio.ensure_future(anext(levels))
    for text in (b"loud", b"", b"\xff", b"info", b"debug"):
        path.write_bytes(text)
        assert logs.read_level(path) == {b"info": "info", b"debug": "debug"}.get(text)
    assert await following == "debug"


def test_a_process_follows_its_level_file_with_loggers_in_use(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = tmp_path / "log-level"
    path.write_text("error")

    async def main() -> None:
        log = structlog.get_logger().bind()
        await asyncio.to_thread(wait_until, lambda: logging.getLogger("loci").level == logging.ERROR, "it is followed")
        log.info("hidden")
        path.write_text("debug")
        await asyncio.to_thread(wait_until, lambda: logging.getLogger("loci").level == logging.DEBUG, "it is followed")
        log.debug("said")

    serving.run(main(), ProcessSettings(log_level_file=path))
    assert [json.loads(line)["event"] for line in capfdbinary.readouterr().out.splitlines()] == ["said"]
