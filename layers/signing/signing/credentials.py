"""Where credentials come from. A provider is anything that, called, returns one frozen set."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache

from requests.exceptions import RequestException

from .errors import CredentialsError
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
        raise CredentialsError(f"{missing} is not set")
    return Credentials(
        access_key_id=key,
        secret_access_key=secret,
        session_token=os.environ.get("AWS_SESSION_TOKEN"),
    )


def elsewhere(environment: Mapping[str, str]) -> Provider:
    """Return the source of credentials that are not in the environment, in the SDKs' order.

    A profile or web identity (by botocore); a container's role, which is also that of a Lambda
    function with SnapStart; an instance's role.
    """
    from .metadata import container_role, instance_role  # noqa: PLC0415  not in plain Lambda

    home = os.path.expanduser("~/.aws")  # noqa: PTH111  pathlib is not imported otherwise
    files = (
        environment.get("AWS_SHARED_CREDENTIALS_FILE", f"{home}/credentials"),
        environment.get("AWS_CONFIG_FILE", f"{home}/config"),
    )
    if (
        "AWS_PROFILE" in environment
        or "AWS_WEB_IDENTITY_TOKEN_FILE" in environment
        or any(os.path.exists(file) for file in files)  # noqa: PTH110  likewise
    ):
        return from_botocore(environment.get("AWS_PROFILE"))
    if (
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" in environment
        or "AWS_CONTAINER_CREDENTIALS_FULL_URI" in environment
    ):
        return Refreshing(lambda: container_role(environment))
    return Refreshing(lambda: instance_role(environment))


def from_botocore(profile: str | None = None) -> Provider:
    """Return a provider that leaves profiles, single sign-on and web identity to botocore."""
    try:
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415  131 ms, only if needed
        from botocore.session import Session  # noqa: PLC0415
    except ImportError as error:
        raise CredentialsError("a profile needs botocore, which is not installed") from error

    try:
        source = Session(profile=profile).get_credentials()
    except BotoCoreError as error:
        raise CredentialsError(str(error)) from error
    if source is None:
        raise CredentialsError(f"the profile {profile or 'default'} has no credentials")

    def provider() -> Credentials:
        try:
            frozen = source.get_frozen_credentials()
        except BotoCoreError as error:
            raise CredentialsError(str(error)) from error
        return Credentials(
            access_key_id=frozen.access_key,
            secret_access_key=frozen.secret_key,
            session_token=frozen.token,
        )

    return provider


class Refreshing:
    """A provider that keeps a set until shortly before it expires; safe to share by threads.

    `fetch` returns a set and when it expires, in seconds since the epoch. From five minutes ahead
    one caller at a time fetches anew while the others use the old set; a failure to fetch shows
    only once the old set has expired. Wall clock: Lambda may have been frozen in between.
    """

    def __init__(self, fetch: Fetch, *, clock: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._held: tuple[Credentials, float] | None = None
        self._not_before = 0.0

    def __call__(self) -> Credentials:
        good = self._good()
        if good and not self._is_due():
            return good
        if not self._lock.acquire(blocking=good is None):
            return good  # type: ignore[return-value]  # only without one does it block
        try:
            if self._is_due():
                self._refresh()
            return self._held[0]  # type: ignore[index]  # or _refresh raised
        finally:
            self._lock.release()

    def _good(self) -> Credentials | None:
        held = self._held
        return held[0] if held and self._clock() < held[1] else None

    def _is_due(self) -> bool:
        held, now = self._held, self._clock()
        return (
            held is None or now >= held[1] or (now >= held[1] - _AHEAD and now >= self._not_before)
        )

    def _refresh(self) -> None:
        self._not_before = self._clock() + _PAUSE
        try:
            self._held = self._fetch()
        except (RequestException, ValueError, KeyError) as error:
            if self._good() is None:
                if isinstance(error, CredentialsError):
                    raise
                raise CredentialsError(f"no credentials: {error}") from error


@lru_cache(maxsize=1)
def _elsewhere() -> Provider:
    return elsewhere(os.environ)
