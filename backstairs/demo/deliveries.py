"""Deliveries of webhooks as GitHub and Stripe send them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid

from backstairs.access import Origin

# An address out of the ranges that GitHub publishes for its webhooks.
GITHUB = Origin("github", None, "140.82.115.10")
PUSH = json.dumps({"ref": "refs/heads/main"}).encode()


def by_github(body: bytes, secret: str) -> dict[str, str]:
    """The headers of a push of GitHub's."""
    return {
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={_proof(secret, body)}",
    }


def charge() -> bytes:
    """An event of Stripe's, which says itself which one it is."""
    return json.dumps({"id": f"evt_{uuid.uuid4().hex}", "type": "charge.succeeded"}).encode()


def by_stripe(body: bytes, secret: str, age: int = 0) -> dict[str, str]:
    """The headers of an event of Stripe's that was signed `age` seconds ago."""
    signed_at = int(time.time()) - age
    proof = _proof(secret, f"{signed_at}.".encode() + body)
    return {"Stripe-Signature": f"t={signed_at},v1={proof}"}


def _proof(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
