"""Why TLS or the system failed, in a few words for the log: no host and no certificate in them.

Source: openssl-verification-options(1) and x509_vfy.h for the codes of verification.
"""

from __future__ import annotations

import errno
import socket
import ssl

_CERTIFICATE = {
    9: "not yet valid",
    10: "expired",
    18: "self-signed",
    19: "unknown authority",  # its chain ends in one that signs itself
    20: "unknown authority",
    21: "unknown authority",
    23: "revoked",
    62: "wrong name",
    64: "wrong name",  # an address
}
_NAMES = {getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_")}


def reason(error: OSError) -> str:
    """Such as `expired`, `wrong version number`, `ECONNRESET`, `EAI_NONAME`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        return _CERTIFICATE.get(code, f"verify code {code}")
    if isinstance(error, ssl.SSLError):
        return (error.reason or "unknown").lower().replace("_", " ")
    if isinstance(error, socket.gaierror):
        return _NAMES.get(error.errno, "unknown")
    return errno.errorcode.get(error.errno or 0, "unknown")
