"""Who is admitted and who is refused, over real sockets, in API Gateway's own words."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from botocore.credentials import Credentials

from backstairs.account.client import Account
from backstairs.demo.tour import OTHER_ACCOUNT

if TYPE_CHECKING:
    from tests.local.application import Application

MEMBER = "/members/m-1001"


@dataclass(frozen=True)
class Refused:
    """A call that must be refused, and how."""

    error_type: str
    message: str
    who: str | None = None
    origin: str = "endpoint"
    method: str = "GET"
    path: str = MEMBER
    stage: str | None = None
    key: str = "message"


REFUSED = {
    "unsigned": Refused("MissingAuthenticationTokenException", "Missing Authentication Token"),
    "no grant": Refused(
        "AccessDeniedException",
        "because no identity-based policy allows the execute-api:Invoke action",
        who="claims",
        key="Message",
    ),
    "read grant used to write": Refused(
        "AccessDeniedException",
        "because no identity-based policy allows the execute-api:Invoke action",
        who="notifier",
        method="POST",
        path="/claims/m-1001",
        key="Message",
    ),
    "another endpoint": Refused(
        "AccessDeniedException",
        "with an explicit deny in a resource-based policy",
        who="notifier",
        origin="another-endpoint",
        key="Message",
    ),
    "the internet": Refused("ForbiddenException", "Forbidden", who="notifier", origin="internet"),
    "unsigned from the internet": Refused("ForbiddenException", "Forbidden", origin="internet"),
    "reference data from another endpoint": Refused(
        "AccessDeniedException",
        "User: anonymous is not authorized to perform: execute-api:Invoke",
        origin="another-endpoint",
        path="/claim-types",
        key="Message",
    ),
    "reference data from the internet": Refused(
        "ForbiddenException", "Forbidden", origin="internet", path="/claim-types"
    ),
    "wrong verb": Refused(
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
        who="notifier",
        method="DELETE",
    ),
    "unknown path": Refused(
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
        who="notifier",
        path="/nothing",
    ),
    "wrong stage": Refused("ForbiddenException", "Forbidden", who="notifier", stage="prod"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_refused(application: Application, case: Refused) -> None:
    """Each refusal has API Gateway's status, error type, and body."""
    answer = application.call(
        case.method,
        case.path,
        credentials=application.credentials(case.who) if case.who else None,
        origin=case.origin,
        stage=case.stage,
    )

    assert answer.status == 403
    assert answer.headers["x-amzn-errortype"] == case.error_type
    assert answer.headers["content-type"] == "application/json"
    assert case.message in json.loads(answer.body)[case.key]
    assert answer.request_id


def test_no_grant_names_the_role_and_masks_the_account(application: Application) -> None:
    """A refusal says whose session lacks which action on which resource."""
    answer = application.call("GET", MEMBER, credentials=application.credentials("claims"))

    message = json.loads(answer.body)["Message"]
    api = application.running.api_with(MEMBER)
    assert message.startswith("User: arn:aws:sts::123456789012:assumed-role/")
    assert f"arn:aws:execute-api:us-east-1:********9012:{api.api_id}/dev/GET{MEMBER}" in message


def test_wrong_signature(application: Application) -> None:
    """A signature made with another secret is refused with the string that was expected."""
    real = application.credentials("notifier")

    forged = Credentials(real.access_key, "another secret", real.token)
    answer = application.call("GET", MEMBER, credentials=forged)

    assert answer.status == 403
    assert answer.headers["x-amzn-errortype"] == "InvalidSignatureException"
    message = json.loads(answer.body)["message"]
    assert message.startswith("The request signature we calculated does not match")
    assert "The Canonical String for this request should have been" in message


@pytest.mark.parametrize("token", [None, "another token"])
def test_wrong_session_token(application: Application, token: str | None) -> None:
    """Temporary credentials without their session token prove nothing."""
    real = application.credentials("notifier")

    answer = application.call(
        "GET", MEMBER, credentials=Credentials(real.access_key, real.secret_key, token)
    )

    assert answer.status == 403
    assert answer.headers["x-amzn-errortype"] == "UnrecognizedClientException"


def test_unknown_access_key(application: Application) -> None:
    """An access key that the account does not have is refused as such."""
    answer = application.call("GET", MEMBER, credentials=Credentials("AKIAUNKNOWN", "secret"))

    assert answer.status == 403
    assert json.loads(answer.body) == {
        "message": "The security token included in the request is invalid."
    }


def test_another_account(application: Application) -> None:
    """A role of another account is refused, though its own account grants it everything."""
    running = application.running
    other = Account(running.account_url, running.region, OTHER_ACCOUNT)
    role = other.client("iam").get_role(RoleName="guest")["Role"]
    found = other.assume(role["Arn"], "guest")
    guest = Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])

    answer = application.call("GET", MEMBER, credentials=guest)

    assert answer.status == 403
    assert f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/guest" in json.loads(answer.body)["Message"]


def test_admitted(application: Application) -> None:
    """The role that holds the grant gets the member."""
    answer = application.call("GET", MEMBER, credentials=application.credentials("notifier"))

    assert answer.status == 200
    assert json.loads(answer.body)["memberId"] == "m-1001"
    assert answer.request_id


def test_reference_data_needs_no_identity(application: Application) -> None:
    """Whoever comes through the endpoint gets the claim types, signed or not."""
    unsigned = application.call("GET", "/claim-types")
    signed = application.call("GET", "/claim-types", credentials=application.credentials("claims"))

    assert (unsigned.status, signed.status) == (200, 200)
    assert json.loads(unsigned.body)["claimTypes"]


def test_grants_decide(application: Application) -> None:
    """Giving a role a grant lets it in, taking it lets it out; the API's stack is not touched."""
    iam = application.account.client("iam")
    role = application.running.roles["claims"].rpartition("/")[2]
    grant = {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": "arn:aws:execute-api:us-east-1:123456789012:*/dev/GET/members/*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [grant]})

    iam.put_role_policy(RoleName=role, PolicyName="members", PolicyDocument=document)
    try:
        granted = _settle(application, 200)
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="members")
    taken = _settle(application, 403)

    assert (granted, taken) == (200, 403)


def _settle(application: Application, expected: int) -> int:
    return _settle_as(application, application.credentials("claims"), expected)


def _settle_as(application: Application, credentials: Credentials, expected: int) -> int:
    """Call until IAM's change has reached the door: seconds at most, as on AWS."""
    status = 0
    for _ in range(50):
        status = application.call("GET", MEMBER, credentials=credentials).status
        if status == expected:
            break
        time.sleep(0.1)
    return status


def test_a_deactivated_key(application: Application) -> None:
    """A user's key stops working when it is deactivated, though nothing else changes."""
    iam = application.account.client("iam")
    iam.create_user(UserName="somebody")
    grant = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [grant]})
    iam.put_user_policy(UserName="somebody", PolicyName="all", PolicyDocument=document)
    key = iam.create_access_key(UserName="somebody")["AccessKey"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    active = _settle_as(application, credentials, 200)
    iam.update_access_key(UserName="somebody", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    inactive = _settle_as(application, credentials, 403)

    assert (active, inactive) == (200, 403)
