"""Where credentials come from: a provider is what, called, returns one frozen set."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache

from .keys import Credentials

Provider = Callable[[], Credentials]
Fetch = Callable[[], tuple[Credentials, float]]

_AHEAD = 300.0  # seconds before expiry from which a new set is asked for
_PAUSE = 15.0  # seconds between two attempts while the old set is good


def default() -> Credentials:
    """Return what the environment offers: Lambda's keys, else what `elsewhere` finds."""
    if "AWS_ACCESS_KEY_ID" in os.environ:
        return from_environment()
    return _elsewhere()()


def from_environment() -> Credentials:
    """Return what Lambda gives a function: its role's keys and session token, as of now."""
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not key or not secret:
        missing = "AWS_SECRET_ACCESS_KEY" if key else "AWS_ACCESS_KEY_ID"
        raise _failed(f"{missing} is not set")
    return Credentials(
        access_key_id=key,
        secret_access_key=secret,
        session_token=os.environ.get("AWS_SESSION_TOKEN"),
    )


def elsewhere(environment: Mapping[str, str]) -> Provider:
    """Return the source of credentials that are not in the environment, in the SDKs' order.

    A profile or web identity; a container's role, or a SnapStart function's; an instance's role.
    """
    from .metadata import container_role, instance_role

    files = (
        environment.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        environment.get("AWS_CONFIG_FILE", "~/.aws/config"),
    )
    if not environment.keys().isdisjoint({"AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"}) or any(
        os.path.exists(os.path.expanduser(file)) for file in files
    ):
        return from_botocore(environment.get("AWS_PROFILE"))
    is_container = any(name.startswith("AWS_CONTAINER_CREDENTIALS_") for name in environment)
    ask = container_role if is_container else instance_role
    return Refreshing(lambda: ask(environment))


def from_botocore(profile: str | None = None) -> Provider:
    """Return a provider that leaves profiles, single sign-on and web identity to botocore."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.session import Session
    except ImportError as error:
        raise _failed("a profile needs botocore, which is not installed") from error
    session = Session(profile=profile)

    def provider() -> Credentials:
        try:
            frozen = session.get_credentials().get_frozen_credentials()
        except (
            BotoCoreError,
            ClientError,
            AttributeError,
        ) as error:  # None has no frozen credentials
            raise _failed(f"profile {profile or 'default'}: {error}") from error
        return Credentials(
            access_key_id=frozen.access_key,
            secret_access_key=frozen.secret_key,
            session_token=frozen.token,
        )

    return provider


class Refreshing:
    """A provider that keeps a set until shortly before it expires; safe to share by threads.

    `fetch` returns a set and when it expires, in seconds since the epoch. From five minutes ahead
    one thread at a time fetches anew while the others use the old set; a failure shows only once
    that has expired. By the wall clock: Lambda may have been frozen in between.
    """

    def __init__(self, fetch: Fetch, *, clock: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._held: tuple[Credentials, float] | None = None
        self._not_before = 0.0

    def __call__(self) -> Credentials:
        held, now = self._held, self._clock()
        if held and now < min(held[1], max(held[1] - _AHEAD, self._not_before)):
            return held[0]
        good = held if held and now < held[1] else None
        if not self._lock.acquire(blocking=good is None) and good:
            return good[0]
        try:
            newest = self._held
            if newest is None or newest is held:  # no other thread has been here
                newest = self._held = self._renewed(good)
            return newest[0]
        finally:
            self._lock.release()

    def _renewed(self, good: tuple[Credentials, float] | None) -> tuple[Credentials, float]:
        self._not_before = self._clock() + _PAUSE
        try:
            return self._fetch()
        except (OSError, ValueError, KeyError) as error:  # all of `errors` are OSErrors
            if good:
                return good
            from .errors import CredentialsError

            if isinstance(error, CredentialsError):
                raise
            raise _failed(f"no credentials: {error}") from error


@lru_cache(maxsize=1)
def _elsewhere() -> Provider:
    return elsewhere(os.environ)


def _failed(text: str) -> OSError:
    from .errors import CredentialsError  # loads `requests`, where there is one

    return CredentialsError(text)
