"""The secrets that a provider signs with: one SecureString of SSM, newest first, one a line.

Two are valid at a time, so that a secret is changed without a deployment and without losing a
delivery: write the new one above the old one, change it at the provider's, then write the new one
alone. Where the provider makes the secret, write its new one above the old one once it is shown.
From a VPC without internet, SSM is reached by an interface endpoint for `ssm`; it decrypts by
itself, so that KMS needs none.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

SHORTEST = 16
MOST = 2
RENEWAL_SECONDS = 30.0
"""The least time between two reads that bad signatures, or SSM's failures, bring about."""

_RETRY_SECONDS = 1.0
# Answers about the parameter itself. Whatever else goes wrong says nothing of the secrets.
_DEFINITE = ("ParameterNotFound", "ParameterVersionNotFound")

logger = logging.getLogger(__name__)


class NoSecretsError(Exception):
    """There is nothing to verify a signature with; the log says why."""


class InvalidSecretsError(ValueError):
    """What the parameter holds is no secret, or too short a one; it is not in the message."""


class WebhookSecrets:
    """The secrets in a parameter, read at most every `seconds`.

    `client` is boto3's for SSM. A read that fails leaves what was read before.
    """

    def __init__(
        self, client: Any, parameter: str, seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        # The wall clock also runs while the sandbox is frozen.
        self._client, self._parameter, self._seconds = client, parameter, seconds
        self._clock, self._lock = clock, threading.Lock()
        self._secrets: tuple[bytes, ...] = ()
        self._read_at = self._tried_at = float("-inf")

    def current(self) -> tuple[bytes, ...]:
        """The valid secrets. Raises NoSecretsError."""
        with self._lock:
            if self._clock() - self._read_at >= self._seconds:
                self._read(RENEWAL_SECONDS if self._secrets else _RETRY_SECONDS)
            if not self._secrets:
                raise NoSecretsError
            return self._secrets

    def renewed(self) -> tuple[bytes, ...]:
        """The secrets after another read, for a signature that fits none of the known ones.

        Nothing when they were read a moment ago: who forges signatures must not wear SSM out.
        """
        with self._lock:
            return self._secrets if self._read(RENEWAL_SECONDS) else ()

    def _read(self, pause: float) -> bool:
        """Read the parameter, unless that was tried less than `pause` seconds ago."""
        now = self._clock()
        if now - self._tried_at < pause:
            return False
        self._tried_at = now
        try:
            found = self._client.get_parameter(Name=self._parameter, WithDecryption=True)
            self._secrets = parse(found["Parameter"]["Value"])
        except InvalidSecretsError as error:
            self._secrets = ()
            logger.error("the parameter of the webhook secrets is unusable: %s", error)  # noqa: TRY400 - the value would be in a traceback's reach
            return False
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _DEFINITE:
                self._secrets = ()
            self._say_unread(code)
            return False
        except BotoCoreError as error:
            self._say_unread(type(error).__name__)
            return False
        self._read_at = now
        return True

    def _say_unread(self, code: str) -> None:
        kept = "the known ones stay valid" if self._secrets else "there are none"
        logger.error("the webhook secrets could not be read: %s; %s", code, kept)


def parse(value: str) -> tuple[bytes, ...]:
    """The secrets in a parameter's value. Raises InvalidSecretsError."""
    lines = value.removesuffix("\n").split("\n")
    if len(lines) > MOST:
        raise InvalidSecretsError(f"it has {len(lines)} lines: at most {MOST} secrets, one a line")
    for line in lines:
        if line != line.strip():
            raise InvalidSecretsError("a line begins or ends with a space")
        if len(line) < SHORTEST:
            raise InvalidSecretsError(f"a line has fewer than {SHORTEST} characters")
    return tuple(line.encode() for line in lines)
