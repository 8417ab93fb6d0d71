"""`python -m backstairs.emulator --port N`: serve the account on 127.0.0.1 until terminated."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from pathlib import Path

from backstairs.emulator import settings


def main() -> None:
    parser = argparse.ArgumentParser(prog="backstairs.emulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--state", type=Path, help="directory for temporary files (default: none)")
    parser.add_argument("--log-level", default="WARNING", help="of what is said on stderr")
    parser.add_argument("--snapshot", type=Path, help="file for `PUT /_backstairs/snapshot`")
    parser.add_argument("--restore", action="store_true", help="begin with what that file has")
    options = parser.parse_args()
    if options.restore and options.snapshot is None:
        parser.error("--restore needs --snapshot")
    if options.snapshot is not None:
        os.environ[settings.SNAPSHOT_FILE] = str(options.snapshot.resolve())
    restored = options.snapshot if options.restore else None
    if options.state is not None:
        options.state.mkdir(parents=True, exist_ok=True)
        _serve(options.port, options.state.resolve(), options.log_level, restored)
        return
    with tempfile.TemporaryDirectory(prefix="backstairs-account-") as state:
        _serve(options.port, Path(state), options.log_level, restored)


def _serve(port: int, state: Path, log_level: str, restored: Path | None) -> None:
    region = os.environ.get("AWS_DEFAULT_REGION") or settings.DEFAULT_REGION
    settings.apply(settings.settings(port=port, region=region, state=state, log_level=log_level))
    logging.basicConfig(level=log_level, format="%(levelname)s %(name)s: %(message)s")

    # MiniStack reads its settings while it is imported, so only now.
    from backstairs.emulator import server  # noqa: PLC0415
    from backstairs.emulator.account import snapshots  # noqa: PLC0415
    from backstairs.emulator.snapshot import SnapshotError  # noqa: PLC0415

    if restored is not None:
        try:
            snapshots.read(restored)
        except SnapshotError as error:
            sys.exit(str(error))
    server.serve(port)


if __name__ == "__main__":
    main()
