"""An operator process that dies, as by SIGKILL, before one of its writes to the API server.

Run as a module with the number of writes that succeed; dry runs and the Lease's are not counted.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final

from loci_kubernetes.api import Api
from loci_operator.__main__ import main

CRASHED: Final = 9
"""The exit status after a crash."""
_call = Api._call  # noqa: SLF001 - the one place that all calls go through


def crash_after(writes: int) -> None:
    """Let so many writes succeed and end the process before the next one."""
    left = writes

    async def counted(self: Api, method: str, path: str, *more: Any) -> dict[str, Any]:
        nonlocal left
        is_write = method != "GET" and "/leases" not in path and "dryRun=" not in path
        if is_write and not left:
            os._exit(CRASHED)
        answer = await _call(self, method, path, *more)
        left -= is_write
        return answer

    Api._call = counted  # type: ignore[assignment,method-assign]  # noqa: SLF001 - see above


if __name__ == "__main__":
    crash_after(int(sys.argv[1]))
    main()
