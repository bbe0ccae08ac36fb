"""A worker process: reads jobs as lines of JSON from standard input and writes outcomes to standard output.

It ends when its input ends, even during a run, so no worker outlives its driver.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from functools import partial
from typing import Any


def main() -> None:
    """Works until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver handles Ctrl-C
    out = os.dup(1)
    os.dup2(2, 1)  # text printed by a library must not be mixed with the outcomes
    jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()

    from edgesdt import datasets
    from edgesdt.sweep.workers.jobs import Job
    from edgesdt.sweep.workers.point import carry_out

    datasets.keep()
    _tell(out, {"ready": os.getpid()})
    while True:
        job = jobs.get()
        starts, ends = partial(_tell, out, {"compiling": True}), lambda seconds: _tell(out, {"compiling": False})
        _tell(out, {"id": job["id"], **carry_out(Job(**job), starts, ends)})


def _listen(jobs: queue.SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin.buffer:
        jobs.put(json.loads(line))
    os._exit(0)


def _tell(out: int, message: dict[str, Any]) -> None:
    data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
    try:
        while data:
            data = data[os.write(out, data) :]
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
