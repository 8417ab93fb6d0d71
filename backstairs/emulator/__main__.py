"""`python -m backstairs.emulator --port N`: serve the account on 127.0.0.1 until terminated."""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
from pathlib import Path

from backstairs.emulator import settings


def main() -> None:
    parser = argparse.ArgumentParser(prog="backstairs.emulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--state", type=Path, help="directory for temporary files (default: none)")
    parser.add_argument("--log-level", default="WARNING", help="of what is said on stderr")
    options = parser.parse_args()
    if options.state is not None:
        options.state.mkdir(parents=True, exist_ok=True)
        _serve(options.port, options.state.resolve(), options.log_level)
        return
    with tempfile.TemporaryDirectory(prefix="backstairs-account-") as state:
        _serve(options.port, Path(state), options.log_level)


def _serve(port: int, state: Path, log_level: str) -> None:
    region = os.environ.get("AWS_DEFAULT_REGION") or settings.DEFAULT_REGION
    settings.apply(settings.settings(port=port, region=region, state=state, log_level=log_level))
    logging.basicConfig(level=log_level, format="%(levelname)s %(name)s: %(message)s")

    # MiniStack reads its settings while it is imported, so only now.
    from backstairs.emulator import server  # noqa: PLC0415

    server.serve(port)


if __name__ == "__main__":
    main()
