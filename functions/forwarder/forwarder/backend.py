"""The backend: where requests go, from configuration alone."""

from __future__ import annotations

import http.client
import os
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from forwarder.answer import Answer, message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forwarder.event import Request


class ConfigurationError(ValueError):
    """An environment variable is missing or unusable; the message names it."""


class Backend:
    """One backend."""

    def __init__(self, url: str, seconds: float) -> None:
        self._url, self._seconds = urlsplit(url), seconds

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """As the function is configured. Raises ConfigurationError."""
        url = environment.get("BACKEND_URL")
        if not url:
            raise ConfigurationError("BACKEND_URL is not set")
        return cls(url, float(environment.get("BACKEND_SECONDS") or 10))

    def forward(self, request: Request, seconds: float) -> Answer:
        """The backend's answer, or one that says why there is none; `seconds` is what is left."""
        kind = (
            http.client.HTTPSConnection
            if self._url.scheme == "https"
            else http.client.HTTPConnection
        )
        connection = kind(self._url.netloc, timeout=min(seconds, self._seconds))
        target = f"{self._url.path}{request.path}" or "/"
        target += f"?{request.query}" if request.query else ""
        headers = {
            name: value
            for name, value in request.headers
            if name.lower() not in ("host", "content-length", "connection")
        }
        try:
            connection.request(request.method, target, request.body, headers)
            response = connection.getresponse()
            body = response.read()
        except TimeoutError:
            return message(504, "The backend did not answer in time", request.request_id)
        except (OSError, http.client.HTTPException):
            return message(502, "The backend cannot be reached", request.request_id)
        finally:
            connection.close()
        return Answer(response.status, tuple(response.getheaders()), body)
