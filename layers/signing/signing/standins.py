"""What `errors` are made of where `requests` is not installed: its exceptions, name for name."""

from __future__ import annotations

from typing import Any


class RequestException(OSError):
    def __init__(self, *args: object, request: Any = None, response: Any = None) -> None:
        super().__init__(*args)
        self.request = request
        self.response = response


class HTTPError(RequestException): ...


class InvalidURL(RequestException, ValueError): ...


class Timeout(RequestException): ...
