"""Who sends webhooks, and how each proves that it did: a table, one row a provider.

Twilio is not in it, nor is who else signs the URL: behind a custom domain, a stage or a base path
it is not sure which URL that was, and a row would have to say how each is put together.

What a row says was read in the provider's documentation, as named beside it, in November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One way to send webhooks. Names of headers are in lower case.

    `header` holds the proof. Its `form`: an HMAC with SHA-256 in `hex` or `base64`, or the `secret`
    itself. `prefix` stands before a digest. `is_list`: several elements with commas between them,
    the time in `t=`, a digest in each that has the prefix; any one of them will do.

    `signed_before` is what is signed before the body, `{t}` the time in it. `timestamp` is the
    header of the time where it has one of its own; `tolerance` how many seconds it may be off.

    A delivery is known by `id_header`, which is not signed, with the body; by `id_field`, which the
    signed body holds; or by the body alone. `is_id_sure` says that it never comes without.

    `event_header` or `event_field` say what happened. `greeting` is the event that asks only if
    somebody is there: it is answered, with its challenge if it has one, and not forwarded.
    """

    name: str
    header: str
    form: Literal["hex", "base64", "secret"]
    prefix: str = ""
    is_list: bool = False
    signed_before: str = ""
    timestamp: str | None = None
    tolerance: int | None = None
    id_header: str | None = None
    id_field: str | None = None
    is_id_sure: bool = False
    event_header: str | None = None
    event_field: str | None = None
    greeting: str | None = None


GITHUB = Provider(
    # GitHub Docs, "Validating webhook deliveries", "Webhook events and payloads". The id stays when
    # somebody delivers again; nothing is by itself ("Handling failed webhook deliveries").
    name="github",
    header="x-hub-signature-256",
    form="hex",
    prefix="sha256=",
    id_header="x-github-delivery",
    is_id_sure=True,
    event_header="x-github-event",
    greeting="ping",
)

STRIPE = Provider(
    # Stripe Docs, "Receive Stripe events in your webhook endpoint": several v1 while a secret is
    # rolled, five minutes in Stripe's libraries, retries with a new time and signature for three
    # days; the event's id is in the body and stays.
    name="stripe",
    header="stripe-signature",
    form="hex",
    prefix="v1=",
    is_list=True,
    signed_before="{t}.",
    tolerance=300,
    id_field="id",
    event_field="type",
)

SLACK = Provider(
    # Slack developer docs, "Verifying requests from Slack", "The Events API": five minutes; what is
    # not answered within three seconds comes again at once, after one minute and after five.
    name="slack",
    header="x-slack-signature",
    form="hex",
    prefix="v0=",
    signed_before="v0:{t}:",
    timestamp="x-slack-request-timestamp",
    tolerance=300,
    event_field="type",
    greeting="url_verification",
)

SHOPIFY = Provider(
    # Shopify developer docs, "Verify webhook deliveries", "HTTPS delivery": id and body stay
    # through eight retries in four hours; for up to an hour after a new secret, the old one signs.
    name="shopify",
    header="x-shopify-hmac-sha256",
    form="base64",
    id_header="x-shopify-webhook-id",
    is_id_sure=True,
    event_header="x-shopify-topic",
)

GITLAB = Provider(
    # GitLab Docs, "Webhooks": the secret token as it is, nothing is signed. The key stays when a
    # delivery is sent again; versions before 17.4 have none.
    name="gitlab",
    header="x-gitlab-token",
    form="secret",
    id_header="idempotency-key",
    event_header="x-gitlab-event",
)

PROVIDERS = {one.name: one for one in (GITHUB, STRIPE, SLACK, SHOPIFY, GITLAB)}
