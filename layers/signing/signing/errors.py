"""What can go wrong, as one tree; everything is also a `requests.RequestException`.

::

    requests.RequestException
    └── SigningError
        ├── ConfigurationError (ValueError)        an environment variable missing or unusable
        ├── CredentialsError                       no credentials, or a source refused them
        ├── HostRefused (requests.InvalidURL)      a URL outside the API; nothing was sent
        ├── UnsignableBody (TypeError)             a body that can be read only once
        ├── DeadlineExceeded (requests.Timeout)    no time left for another attempt
        └── AccessRefused (requests.HTTPError)     403 by API Gateway, not by the function behind it
            ├── Unsigned                           no or incomplete signature, or no such route
            ├── SignatureMismatch                  wrong signature; `.difference` shows where
            ├── SignatureExpired                   signed too long ago, or in the future
            ├── UnknownCredentials                 key or session token unknown or expired
            ├── NotGranted                         no policy allows; `.action` on `.resource`
            │   ├── NotGrantedByResourcePolicy     the API's own policy does not allow
            │   └── ExplicitlyDenied               a policy denies (wrong endpoint, as a rule)
            └── WrongEndpoint                      not reachable from this network, or API key missing
"""

from __future__ import annotations

from requests.exceptions import HTTPError, InvalidURL, RequestException, Timeout


class SigningError(RequestException):
    """Base of all errors of this package."""


class ConfigurationError(SigningError, ValueError):
    """An environment variable, or an argument made from one, is missing or unusable."""


class CredentialsError(SigningError):
    """There are no credentials, or the source that should give them refused."""


class HostRefused(SigningError, InvalidURL):
    """The URL lies outside the API; nothing was signed or sent."""


class UnsignableBody(SigningError, TypeError):
    """The body can be read only once, so it cannot be hashed and then sent."""


class DeadlineExceeded(SigningError, Timeout):
    """The time for all attempts was used up."""


class AccessRefused(SigningError, HTTPError):
    """API Gateway itself answered 403; the message says what it objected to."""


class Unsigned(AccessRefused):
    """No signature arrived, or there is no such route."""


class SignatureMismatch(AccessRefused):
    """The signature was not the one API Gateway calculated."""

    difference: str = ""


class SignatureExpired(AccessRefused):
    """The signature's date is too far from API Gateway's clock."""


class UnknownCredentials(AccessRefused):
    """The access key or the session token is unknown, inactive or expired."""


class NotGranted(AccessRefused):
    """No policy allows the call; `principal`, `action` and `resource` as API Gateway names them."""

    principal: str = ""
    action: str = ""
    resource: str = ""


class NotGrantedByResourcePolicy(NotGranted):
    """The API's own policy does not allow the call."""


class ExplicitlyDenied(NotGranted):
    """A policy denies the call: for a private API as a rule the wrong VPC endpoint."""


class WrongEndpoint(AccessRefused):
    """Plain Forbidden: the API is not reachable from this network, or wants an API key."""
