"""What can go wrong, as one tree; everything is also a `requests.RequestException`.

Without `requests`, which other HTTP clients do not need, stand-ins take the place of its classes.

::

    requests.RequestException
      SigningError
        ConfigurationError (ValueError): an environment variable is missing or unusable
        CredentialsError: no credentials, or their source refused
        HostRefused (requests.InvalidURL): a URL of another host, `.host`; nothing was sent there
        PathRefused (requests.InvalidURL): a path that may lead elsewhere; likewise
        UnsignableBody (TypeError): a body that cannot be hashed before it is sent
        DeadlineExceeded (requests.Timeout): no time left for an attempt
        AccessRefused (requests.HTTPError): 403 by API Gateway, not by what is behind it
          Unsigned: no or a malformed signature, or no such route
          SignatureMismatch: wrong signature; `.difference` says where
          SignatureExpired: signed too long ago, or ahead
          WrongScope: signed for another region, service or day: `.region`, `.service`
          UnknownCredentials: key or session token unknown or expired
          Forbidden: not reachable from this network, or no API key
          NotGranted: no policy allows `.action` on `.resource`
            NotGrantedByResourcePolicy: the API's own policy does not allow it
            ExplicitlyDenied: a policy denies it: the wrong endpoint, mostly
            NotAuthorized: the API's Lambda authorizer does not allow it
"""

from __future__ import annotations

try:
    from requests.exceptions import HTTPError, InvalidURL, RequestException, Timeout
except ModuleNotFoundError:
    from .standins import (  # type: ignore[assignment]
        HTTPError,
        InvalidURL,
        RequestException,
        Timeout,
    )


class SigningError(RequestException): ...


class ConfigurationError(SigningError, ValueError): ...


class CredentialsError(SigningError): ...


class HostRefused(SigningError, InvalidURL):
    """`host` is the one refused; `response` the redirect that led there, if one did."""

    host: str = ""


class PathRefused(SigningError, InvalidURL): ...


class UnsignableBody(SigningError, TypeError): ...


class DeadlineExceeded(SigningError, Timeout): ...


class AccessRefused(SigningError, HTTPError): ...


class Unsigned(AccessRefused): ...


class SignatureMismatch(AccessRefused):
    """`difference` is a unified diff, from what was signed to what API Gateway expected."""

    difference: str = ""


class SignatureExpired(AccessRefused): ...


class WrongScope(AccessRefused):
    """`region` and `service` are those that were signed for."""

    region: str = ""
    service: str = ""


class UnknownCredentials(AccessRefused): ...


class Forbidden(AccessRefused): ...


class NotGranted(AccessRefused):
    """Who may not do what on what, as API Gateway names them."""

    principal: str = ""
    action: str = ""
    resource: str = ""


class NotGrantedByResourcePolicy(NotGranted): ...


class ExplicitlyDenied(NotGranted): ...


class NotAuthorized(NotGranted): ...
