"""The environment MiniStack reads while it is imported."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT_ID = "123456789012"
ROOT_ACCESS_KEY_ID = "test"
ROOT_SECRET_ACCESS_KEY = "test"  # noqa: S105
DEFAULT_REGION = "us-east-1"
# The variable with the file for a snapshot of the account's state.
SNAPSHOT_FILE = "BACKSTAIRS_SNAPSHOT"


def settings(*, port: int, region: str, state: Path, log_level: str) -> dict[str, str]:
    """Return the variables for an account on 127.0.0.1:`port` that keeps everything in memory.

    `state` is where MiniStack may put temporary files; it writes a key for Cognito there.
    """
    return {
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": ROOT_ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET_ACCESS_KEY,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        # No daemon lives here: MiniStack starts no container and looks for none.
        "DOCKER_HOST": f"unix://{state}/no-docker.sock",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": log_level,
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": region,
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(state),
        "TMPDIR": str(state),
    }


def apply(chosen: dict[str, str]) -> None:
    """Replace whatever the caller's shell says about AWS by `chosen`.

    MiniStack takes its root key from the environment; a developer's real one must not get there.
    """
    for name in [name for name in os.environ if name.startswith(("AWS_", "MINISTACK_", "LAMBDA_"))]:
        del os.environ[name]
    for name in ("SERVICES", "EDGE_PORT", "USE_SSL", "LOCALSTACK_PERSISTENCE"):
        os.environ.pop(name, None)
    os.environ.update(chosen)
    # There being no daemon, half a second goes for its client.
    sys.modules.setdefault("docker", None)  # type: ignore[arg-type]
