"""Runs a program of Python's in forks of a process that has loaded it: see loaded.py.

    python forks.py PROGRAM SOCKET MODULE...

With the program's own Python, so that nothing of ours is imported. Each message on the socket is an
order in JSON, with two files: where the output goes, and where the status.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from typing import Any

LONGEST = 64 * 1024
"""Bytes of an order."""


def main(program: str, number: str, first: str, *others: str) -> None:
    """Serve the orders until there are no more."""
    # As for any script, its folder is the first where modules are looked for; ours is not.
    own = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - loads less
    sys.path[:] = [os.path.dirname(program), *(path for path in sys.path if path != own)]  # noqa: PTH120
    orders = socket.socket(fileno=int(number))
    # Not ignored, or nobody would ever account for the time that they took.
    signal.signal(signal.SIGCHLD, lambda *_: _reap())
    # What is loaded stays: looking for garbage in it takes time, and copies it into each fork.
    gc.disable()
    _load(first)
    while True:
        gc.freeze()
        message, files, _, _ = socket.recv_fds(orders, LONGEST, 2)
        if not message:
            return
        if os.fork() == 0:
            orders.close()
            gc.enable()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _run(program, json.loads(message), *files)
        for file in files:
            os.close(file)
        # While the first run is on.
        _load(*others)
        others = ()


def _run(program: str, order: dict[str, Any], output: int, status: int) -> None:
    child = os.fork()
    if child:
        _, ended = os.waitpid(child, 0)
        os.write(status, str(os.waitstatus_to_exitcode(ended)).encode())
        os._exit(0)
    os.close(status)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    os.environ.update(order["variables"])
    sys.argv = [program, *order["arguments"]]
    runpy.run_path(program, run_name="__main__")
    sys.exit()


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _load(*modules: str) -> None:
    for module in modules:
        # Another version of the program may have no such module: it loads what it needs.
        with contextlib.suppress(ImportError):
            importlib.import_module(module)


if __name__ == "__main__":
    main(*sys.argv[1:])
