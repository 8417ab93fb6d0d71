"""What can go wrong, as one tree; everything is also a `requests.RequestException`.

::

    requests.RequestException
    └── SigningError
        ├── ConfigurationError (ValueError)         an environment variable missing or unusable
        ├── CredentialsError                        no credentials, or their source refused
        ├── HostRefused (requests.InvalidURL)       a URL of another host; nothing was sent
        ├── PathRefused (requests.InvalidURL)       a path that may lead elsewhere; nothing was sent
        ├── UnsignableBody (TypeError)              a body that cannot be hashed before it is sent
        ├── DeadlineExceeded (requests.Timeout)     no time left for an attempt
        └── AccessRefused (requests.HTTPError)      403 by API Gateway, not by what is behind it
            ├── Unsigned                            no or a malformed signature, or no such route
            ├── SignatureMismatch                   wrong signature; `.difference` says where
            ├── SignatureExpired                    signed too long ago, or in the future
            ├── UnknownCredentials                  key or session token unknown or expired
            ├── Forbidden                           not reachable from this network, or no API key
            └── NotGranted                          no policy allows `.action` on `.resource`
                ├── NotGrantedByResourcePolicy      the API's own policy does not allow it
                └── ExplicitlyDenied                a policy denies it: the wrong endpoint, mostly
"""

# ruff: noqa: N818  Names say what happened, as those of requests do.

from __future__ import annotations

from requests.exceptions import HTTPError, InvalidURL, RequestException, Timeout


class SigningError(RequestException):
    """Base of all errors of this package."""


class ConfigurationError(SigningError, ValueError):
    """An environment variable, or what was made from it, is missing or unusable."""


class CredentialsError(SigningError):
    """There are no credentials, or the source that should give them refused."""


class HostRefused(SigningError, InvalidURL):
    """The URL is not one of the API's; nothing was signed or sent."""


class PathRefused(SigningError, InvalidURL):
    """The path has a dot segment or a fragment: some id in it was not quoted by `path`."""


class UnsignableBody(SigningError, TypeError):
    """The body cannot be hashed before it is sent."""


class DeadlineExceeded(SigningError, Timeout):
    """The time for the call was used up before it could be sent."""


class AccessRefused(SigningError, HTTPError):
    """API Gateway itself answered 403; the message says what it objected to."""


class Unsigned(AccessRefused):
    """No signature arrived or it is malformed, or the API has no such route."""


class SignatureMismatch(AccessRefused):
    """The signature is not the one API Gateway calculated; `difference` is a unified diff."""

    difference: str = ""


class SignatureExpired(AccessRefused):
    """The signature's date is too far from API Gateway's clock."""


class UnknownCredentials(AccessRefused):
    """The access key or the session token is unknown, inactive or expired."""


class Forbidden(AccessRefused):
    """The API cannot be reached from this network or endpoint, or it wants an API key."""


class NotGranted(AccessRefused):
    """No policy allows the call; its parts are as API Gateway names them."""

    principal: str = ""
    action: str = ""
    resource: str = ""


class NotGrantedByResourcePolicy(NotGranted):
    """The API's own policy does not allow the call."""


class ExplicitlyDenied(NotGranted):
    """A policy denies the call: of a private API, mostly for coming through another endpoint."""
