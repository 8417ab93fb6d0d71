"""A gateway that finds every signature wrong, and says what it expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.signing.gateway import response
from tests.signing.verifier import canonical_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.signing.verifier import Wire

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)


def expecting(change: tuple[bytes, bytes]) -> Callable[[Wire], bytes]:
    """Answer as API Gateway does to a wrong signature, with what it expected."""

    def answer(wire: Wire) -> bytes:
        names = wire.one("authorization").split("SignedHeaders=")[1].split(",")[0]
        expected = canonical_request(wire, names.encode().split(b";")).replace(*change).decode()
        text = (
            f"{MISMATCH}\n\nThe Canonical String for this request should have been\n'{expected}'"
            "\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n...'\n"
        )
        return response(403, {"message": text}, {"x-amzn-ErrorType": "InvalidSignatureException"})

    return answer
