"""The claims routes: requests in, answers out.

Every refusal is a JSON object with `statusCode` and `message`, and with `errors` where fields are
at fault.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.event_handler.exceptions import (
    BadRequestError,
    NotFoundError,
    RequestEntityTooLargeError,
    ServiceError,
)
from service.rest import correlation_id, member_id_of, resolver
from service.table import Table

from claims import cursor
from claims.claim import InvalidClaimError, is_claim_id, opened, parse
from claims.idempotency import REMEMBERED_DAYS, claim_id_for, fingerprint, is_key
from claims.storage import Claims, ConflictError, DeletedError, KeyReusedError
from claims.version import etag, version_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from claims.claim import Claim

# Several times a claim with every field at its longest.
_LONGEST_BODY = 16 * 1024
_PAGE, _LONGEST_PAGE = 25, 100

logger = Logger(service="claims")
app = resolver()


@app.get("/claims/<member_id>")
def list_claims(member_id: str) -> dict[str, Any]:
    member_id, page, after = member_id_of(member_id), _page(), _after()
    claims, end = _claims().newest(member_id, most=page, after=after)
    return {"claims": claims} | ({"next": cursor.write(end)} if end else {})


@app.post("/claims/<member_id>")
def create_claim(member_id: str) -> Response[Claim]:
    member_id, fields = member_id_of(member_id), parse(_body())
    claim_id = claim_id_for(member_id, _idempotency_key())
    claim = opened(fields, member_id=member_id, claim_id=claim_id, at=_text(datetime.now(UTC)))
    try:
        claim = _claims().add(claim, fingerprint(fields))
    except KeyReusedError:
        raise ServiceError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another claim"
        ) from None
    except DeletedError:
        raise ServiceError(
            HTTPStatus.GONE, "The claim of this Idempotency-Key has been deleted"
        ) from None
    logger.info("claim created", claim_id=claim_id)
    # With the stage, as the client sees it; `path` is without.
    location = f"{app.current_event.request_context.path.rstrip('/')}/{claim_id}"
    return _shown(claim, HTTPStatus.CREATED, {"Location": location})


@app.get("/claims/<member_id>/<claim_id>")
def get_claim(member_id: str, claim_id: str) -> Response[Claim]:
    claim = _claims().find(member_id_of(member_id), _claim_id(claim_id))
    return _shown(_existing(claim))


@app.put("/claims/<member_id>/<claim_id>")
def update_claim(member_id: str, claim_id: str) -> Response[Claim]:
    member_id, claim_id, version = member_id_of(member_id), _claim_id(claim_id), _version()
    try:
        claim = _claims().change(
            parse(_body()),
            member_id=member_id,
            claim_id=claim_id,
            version=version,
            at=_text(datetime.now(UTC)),
        )
    except ConflictError as conflict:
        raise ServiceError(
            HTTPStatus.CONFLICT,
            f"The claim is at version {conflict.version}, not at {version}: read it again",
        ) from None
    updated = _existing(claim)
    logger.info("claim updated", claim_id=claim_id, version=updated["version"])
    return _shown(updated)


@app.delete("/claims/<member_id>/<claim_id>")
def delete_claim(member_id: str, claim_id: str) -> Response[Any]:
    member_id, claim_id, now = member_id_of(member_id), _claim_id(claim_id), datetime.now(UTC)
    forgotten = int((now + timedelta(days=REMEMBERED_DAYS)).timestamp())
    if not _claims().remove(member_id, claim_id, at=_text(now), forgotten=forgotten):
        raise NotFoundError("There is no such claim")
    logger.info("claim deleted", claim_id=claim_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@app.exception_handler(InvalidClaimError)  # type: ignore[untyped-decorator]  # Powertools'
def refuse_claim(error: InvalidClaimError) -> Response[dict[str, Any]]:
    answer = {"statusCode": 400, "message": error.message, "errors": error.errors}
    return Response(status_code=400, content_type=content_types.APPLICATION_JSON, body=answer)


def handle(event: dict[str, Any], context: LambdaContext, claims: Claims) -> dict[str, Any]:
    """Answer an API Gateway proxy event (format 1.0) from the given claims."""
    app.context["claims"] = claims
    return app.resolve(event, context)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    logger.set_correlation_id(correlation_id(event))
    return handle(event, context, _deployed_claims())


@cache
def _deployed_claims() -> Claims:
    return Claims(Table.deployed())


def _claims() -> Claims:
    claims: Claims = app.context["claims"]
    return claims


def _text(time: datetime) -> str:
    """A time that sorts as text: UTC, always with six decimals."""
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _shown(
    claim: Claim, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response[Claim]:
    return Response(
        status_code=status,
        content_type=content_types.APPLICATION_JSON,
        headers={"ETag": etag(claim), **(headers or {})},
        body=claim,
    )


def _existing(claim: Claim | None) -> Claim:
    if claim is None:
        raise NotFoundError("There is no such claim")
    return claim


def _claim_id(segment: str) -> str:
    claim_id = unquote(segment)
    if not is_claim_id(claim_id):
        raise BadRequestError("The claim id is not a UUID in lower case")
    return claim_id


def _body() -> str:
    try:
        body = app.current_event.decoded_body or ""
    except ValueError:
        raise BadRequestError("The body is not a text") from None
    if len(body) > _LONGEST_BODY:
        raise RequestEntityTooLargeError(f"The body is longer than {_LONGEST_BODY} characters")
    return body


def _idempotency_key() -> str | None:
    key = app.current_event.headers.get("Idempotency-Key")
    if key is not None and not is_key(key):
        raise BadRequestError("The Idempotency-Key is not 1 to 255 visible ASCII characters")
    return key


def _version() -> int:
    if_match = app.current_event.headers.get("If-Match")
    if if_match is None:
        raise ServiceError(
            HTTPStatus.PRECONDITION_REQUIRED, "If-Match must name the version: the claim's ETag"
        )
    version = version_of(if_match)
    if version is None:
        raise BadRequestError('If-Match is not one ETag of a claim, such as "1"')
    return version


def _page() -> int:
    limit = (app.current_event.query_string_parameters or {}).get("limit", str(_PAGE))
    # Digits of other scripts are digits too, and so are a thousand of them.
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= _LONGEST_PAGE):
        raise BadRequestError(f"limit is not a number from 1 to {_LONGEST_PAGE}")
    return int(limit)


def _after() -> cursor.Place | None:
    text = (app.current_event.query_string_parameters or {}).get("cursor")
    if text is None:
        return None
    place = cursor.read(text)
    if place is None:
        raise BadRequestError("The cursor is not one that a list of claims ended with")
    return place
