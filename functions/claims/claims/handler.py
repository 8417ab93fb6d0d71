"""The claims routes: requests in, answers out.

Every refusal is a JSON object with `statusCode` and `message`, and with `errors` where fields are
at fault.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError, ServiceError
from insurance.rest import correlation_id, member_id_of, resolver
from insurance.table import Table

from claims import cursor
from claims.claim import InvalidClaimError, new_claim, parse
from claims.idempotency import REMEMBERED_DAYS, claim_id_for, fingerprint
from claims.request import (
    body_of,
    claim_id_of,
    expected_version_of,
    idempotency_key_of,
    limit_of,
    place_of,
)
from claims.storage import Claims, ConflictError, DeletedError, KeyReusedError
from claims.version import etag

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from claims.claim import Claim

logger = Logger(service="claims")
app = resolver()


@app.get("/claims/<member_id>")
def list_claims(member_id: str) -> dict[str, Any]:
    event = app.current_event
    claims, end = _claims().newest(
        member_id_of(member_id), limit=limit_of(event), after=place_of(event)
    )
    return {"claims": claims} | ({"next": cursor.write(end)} if end else {})


@app.post("/claims/<member_id>")
def create_claim(member_id: str) -> Response[Claim]:
    event, member_id = app.current_event, member_id_of(member_id)
    fields = parse(body_of(event))
    claim_id = claim_id_for(member_id, idempotency_key_of(event))
    if not _claims().has_member(member_id):
        raise NotFoundError("There is no such member")
    now = _timestamp(datetime.now(UTC))
    claim = new_claim(fields, member_id=member_id, claim_id=claim_id, created_at=now)
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
    location = f"{event.request_context.path.rstrip('/')}/{claim_id}"
    return _response(claim, HTTPStatus.CREATED, {"Location": location})


@app.get("/claims/<member_id>/<claim_id>")
def get_claim(member_id: str, claim_id: str) -> Response[Claim]:
    claim = _claims().find(member_id_of(member_id), claim_id_of(claim_id))
    return _response(_found(claim))


@app.put("/claims/<member_id>/<claim_id>")
def update_claim(member_id: str, claim_id: str) -> Response[Claim]:
    member_id, claim_id = member_id_of(member_id), claim_id_of(claim_id)
    version = expected_version_of(app.current_event)
    try:
        claim = _claims().change(
            parse(body_of(app.current_event)),
            member_id=member_id,
            claim_id=claim_id,
            version=version,
            updated_at=_timestamp(datetime.now(UTC)),
        )
    except ConflictError as conflict:
        raise ServiceError(
            HTTPStatus.CONFLICT,
            f"The claim is at version {conflict.version}, not at {version}: read it again",
        ) from None
    updated = _found(claim)
    logger.info("claim updated", claim_id=claim_id, version=updated["version"])
    return _response(updated)


@app.delete("/claims/<member_id>/<claim_id>")
def delete_claim(member_id: str, claim_id: str) -> Response[Any]:
    member_id, claim_id = member_id_of(member_id), claim_id_of(claim_id)
    now = datetime.now(UTC)
    expires_at = int((now + timedelta(days=REMEMBERED_DAYS)).timestamp())
    if not _claims().remove(member_id, claim_id, deleted_at=_timestamp(now), expires_at=expires_at):
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


def _timestamp(time: datetime) -> str:
    """A time that sorts as text: UTC, always with six decimals."""
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _response(
    claim: Claim, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response[Claim]:
    return Response(
        status_code=status,
        content_type=content_types.APPLICATION_JSON,
        headers={"ETag": etag(claim), **(headers or {})},
        body=claim,
    )


def _found(claim: Claim | None) -> Claim:
    if claim is None:
        raise NotFoundError("There is no such claim")
    return claim
