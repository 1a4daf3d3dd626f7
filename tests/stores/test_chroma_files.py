"""Erasures rebuild an embedded index; what the old one held in memory and open files goes with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from loci_dataplane.stores.chroma.embedded import embedded_vectors

AXIS = np.eye(3, dtype=np.float32)[:1]


def open_files(folder: Path) -> list[str]:
    targets = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [target for target in targets if target.startswith(str(folder))]


async def test_an_index_that_was_rebuilt_often_has_no_more_files_open_than_a_new_one(tmp_path: Path) -> None:
    async with embedded_vectors(tmp_path) as vectors:
        await vectors.replace({"mem_kept": AXIS})
        await vectors.search(AXIS[0], 1, None)
        of_a_new_one = len(open_files(tmp_path))
        for number in range(5):
            await vectors.replace({f"mem_{number}": AXIS})
            await vectors.delete([f"mem_{number}"])
            assert (await vectors.purge([f"mem_{number}"])).found == 0
        assert [hit.memory_id for hit in await vectors.search(AXIS[0], 9, None)] == ["mem_kept"]
        assert not [path for path in open_files(tmp_path) if path.endswith("(deleted)")]
        assert len(open_files(tmp_path)) <= of_a_new_one
    assert open_files(tmp_path) == []
