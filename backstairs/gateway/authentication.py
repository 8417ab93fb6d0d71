"""Who calls: the proof that a request carries, and the API key that it offers."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from backstairs.access import SignatureProblem, claims, sigv4
from backstairs.access.keys import SEVERAL
from backstairs.access.mismatch import find_mistakes

if TYPE_CHECKING:
    from datetime import datetime

    from backstairs.access import Principal, WireRequest
    from backstairs.access.sigv4 import Claim
    from backstairs.gateway.usage import KnownKey


@dataclass(frozen=True, slots=True)
class Identity:
    """An access key of the account: its secret, and who signs with it."""

    principal: Principal
    secret_key: str
    session_token: str | None
    expires: datetime | None


_REMEMBERED = 1000


class Identities(Protocol):
    """Where the door learns whose an access key is."""

    async def identity_of(self, access_key_id: str) -> Identity | None:
        """The identity of an access key, or None."""


class Keys(Protocol):
    """Where the door learns whose an API key is."""

    async def key_of(self, value: str) -> KnownKey | None:
        """The API key with a value, or None."""


class NoKeys:
    """An account without API keys."""

    async def key_of(self, value: str) -> KnownKey | None:
        """None, whatever the value."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Who signed a request, or why that is not known."""

    caller: Principal | None = None
    access_key_id: str | None = None
    problem: SignatureProblem | None = None
    api_key_id: str | None = None


@dataclass(frozen=True, slots=True)
class OfferedKey:
    """The API key that a request offers, or why it offers none of the account's."""

    known: KnownKey | None = None
    problem: str | None = None


class Proofs:
    """Finds them, by the identities and the API keys of an account's region."""

    def __init__(self, identities: Identities, keys: Keys, region: str) -> None:
        self._identities = identities
        self._keys = keys
        self._region = region
        # Signatures that were right, to know one again that is sent with another request.
        self._signed: OrderedDict[str, str] = OrderedDict()

    async def offered_key(self, request: WireRequest) -> OfferedKey:
        """The API key of a request. Raises OSError while the account's cannot be read."""
        values = request.values("x-api-key")
        if len(values) != 1:
            return OfferedKey(problem=SEVERAL if values else None)
        known = await self._keys.key_of(values[0])
        return OfferedKey(known, None if known else "the account has no key with that value")

    async def prove(self, request: WireRequest, now: datetime) -> Proof:
        """Who signed a request. Raises OSError while the account does not answer."""
        try:
            claim = claims.read_claim(request)
            if claim is None:
                return Proof()
            identity = await self._identities.identity_of(claim.access_key_id)
            if identity is None or not _same_token(identity, claim):
                raise sigv4.unknown_key()
            if identity.expires is not None and identity.expires <= now:
                raise sigv4.expired_token()
            self._verify(request, claim, identity, now)
        except SignatureProblem as problem:
            return Proof(problem=problem)
        return Proof(identity.principal, claim.access_key_id)

    def _verify(
        self, request: WireRequest, claim: Claim, identity: Identity, now: datetime
    ) -> None:
        """Verify a signature; a problem with it says what the signer did otherwise."""
        secret = identity.secret_key
        try:
            sigv4.verify(request, claim, secret_key=secret, region=self._region, now=now)
        except SignatureProblem as problem:
            if problem.is_mismatch or problem.is_out_of_scope:
                signed = self._signed.get(claim.signature)
                problem.mistakes = (
                    (f"it is that of {signed}: sign anew for each request, a redirect's too",)
                    if signed
                    else find_mistakes(request, claim, secret, self._region)
                )
            raise
        self._signed[claim.signature] = f"{request.method} {request.path.decode('latin-1')}"
        while len(self._signed) > _REMEMBERED:
            self._signed.popitem(last=False)


def _same_token(identity: Identity, claim: Claim) -> bool:
    offered = claim.tokens
    if identity.session_token is None:
        return not offered
    return len(offered) == 1 and hmac.compare_digest(
        offered[0].encode("latin-1"), identity.session_token.encode()
    )
