"""The rules by which API Gateway decides, each with how it is known.

Nothing here was run on a live AWS account; `Rule.known` says what a rule rests on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_APIGW = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"


class Known(Enum):
    """What a rule rests on, strongest first."""

    AWS_DOCUMENT = "AWS document"
    PUBLIC_REPORT = "public report"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a short name, what it says, how it is known and where it can be read."""

    name: str
    says: str
    known: Known
    source: str


PRIVATE_ONLY_THROUGH_ENDPOINTS = Rule(
    "private-only-through-endpoints",
    "A private API answers only calls that come through an execute-api interface endpoint.",
    Known.AWS_DOCUMENT,
    _APIGW + "apigateway-private-apis.html",
)
PUBLIC_NOT_THROUGH_ENDPOINTS = Rule(
    "public-not-through-endpoints",
    "An execute-api interface endpoint answers for private APIs only.",
    Known.AWS_DOCUMENT,
    "https://repost.aws/knowledge-center/api-gateway-vpc-connections",
)
DEFAULT_ENDPOINT_DISABLED = Rule(
    "default-endpoint-disabled",
    "A REST API whose default endpoint is disabled is Forbidden by its execute-api names.",
    Known.AWS_DOCUMENT,
    _APIGW + "rest-api-disable-default-endpoint.html",
)
ENDPOINT_POLICY_FIRST = Rule(
    "endpoint-policy-first",
    "The endpoint's policy is evaluated first; a caller without a signature is anonymous to it.",
    Known.AWS_DOCUMENT,
    _APIGW + "apigateway-vpc-endpoint-policies.html",
)
UNKNOWN_API = Rule(
    "unknown-api",
    "An API or stage that does not exist is Forbidden.",
    Known.UNVERIFIED,
    "",
)
UNKNOWN_ROUTE = Rule(
    "unknown-route",
    "A path or verb without a method is refused as if a token were missing.",
    Known.AWS_DOCUMENT,
    "https://repost.aws/knowledge-center/api-gateway-authentication-token-errors",
)
UNSIGNED_ON_IAM = Rule(
    "unsigned-on-iam",
    "A method with AWS_IAM refuses a call that carries no signature.",
    Known.AWS_DOCUMENT,
    "https://repost.aws/knowledge-center/api-gateway-authentication-token-errors",
)
SIGNATURE = Rule(
    "signature",
    "A signature that does not verify refuses the call, whatever the policies say.",
    Known.AWS_DOCUMENT,
    _IAM + "reference_sigv-troubleshooting.html",
)
SIGNATURE_AT_ENDPOINT = Rule(
    "signature-at-endpoint",
    "An interface endpoint refuses a signature that does not verify, even where the method asks "
    "for none; a bearer token it takes for anonymous.",
    Known.AWS_DOCUMENT,
    _APIGW + "apigateway-vpc-endpoint-policies.html",
)
EXPLICIT_DENY = Rule(
    "explicit-deny",
    "A matching Deny in any policy refuses the call.",
    Known.AWS_DOCUMENT,
    _IAM + "reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html",
)
IAM_SAME_ACCOUNT = Rule(
    "iam-same-account",
    "AWS_IAM, caller of the API's account: an Allow in the identity policies or in the resource "
    "policy admits; a resource policy that holds only Denies leaves the choice to the grants.",
    Known.AWS_DOCUMENT,
    _APIGW + "apigateway-authorization-flow.html",
)
DENY_ONLY_ON_PRIVATE = Rule(
    "deny-only-on-private",
    "A private API whose resource policy has no Allow for a call admits it by identity policies "
    "alone. Follows from the table for AWS_IAM; not seen live. If it is wrong, calls are refused.",
    Known.UNVERIFIED,
    _APIGW + "apigateway-authorization-flow.html",
)
IAM_OTHER_ACCOUNT = Rule(
    "iam-other-account",
    "AWS_IAM, caller of another account: both its identity policies and the resource policy "
    "must allow.",
    Known.AWS_DOCUMENT,
    _APIGW + "apigateway-authorization-flow.html",
)
ACCOUNT_DELEGATION = Rule(
    "account-delegation",
    "A resource policy that allows an account's root leaves the choice to that account's "
    "identity policies.",
    Known.AWS_DOCUMENT,
    _IAM + "reference_policies_elements_principal.html",
)
PERMISSIONS_BOUNDARY = Rule(
    "permissions-boundary",
    "A permissions boundary or session policy must allow what an identity policy allows.",
    Known.AWS_DOCUMENT,
    _IAM + "reference_policies_evaluation-logic_policy-eval-denyallow.html",
)
NO_AUTHORIZATION = Rule(
    "no-authorization",
    "A method without authorization: the resource policy, where there is one, must allow.",
    Known.AWS_DOCUMENT,
    _APIGW + "apigateway-authorization-flow.html",
)
AUTHORIZER = Rule(
    "authorizer",
    "A Lambda authorizer is called unless the resource policy has a matching Deny; its own answer "
    "is weighed with that policy as grants are.",
    Known.AWS_DOCUMENT,
    _APIGW + "apigateway-authorization-flow.html",
)
PRIVATE_NEEDS_POLICY = Rule(
    "private-needs-policy",
    "A private API needs a resource policy; without one it admits nobody.",
    Known.AWS_DOCUMENT,
    _APIGW + "apigateway-vpc-endpoint-policies.html",
)
API_KEY_LAST = Rule(
    "api-key-last",
    "An API key is asked for after resource policy and authorizer have admitted the call.",
    Known.AWS_DOCUMENT,
    "https://repost.aws/knowledge-center/api-gateway-logs",
)
API_KEY_OF_STAGE = Rule(
    "api-key-of-stage",
    "A method that asks for an API key takes an enabled key of a usage plan with the stage.",
    Known.AWS_DOCUMENT,
    "https://repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden",
)
API_KEY_ONCE = Rule(
    "api-key-once",
    "Of several x-api-key headers none is taken for the call's API key.",
    Known.UNVERIFIED,
    "",
)
PATH_AS_SENT = Rule(
    "path-as-sent",
    "Doubled slashes, dot segments, a slash at the end and percent-escapes stay in the path that "
    "the resource policies and grants are compared with. Where a policy would decide otherwise "
    "for the path that is meant, the decision is not known.",
    Known.UNVERIFIED,
    _APIGW + "api-gateway-control-access-using-iam-policies-to-invoke-api.html",
)
HTTP_UNKNOWN_ROUTE = Rule(
    "http-unknown-route",
    "An HTTP API answers Not Found where no route matches and there is no $default route. An "
    "emulator does so; nobody here has seen AWS do it.",
    Known.UNVERIFIED,
    "",
)
HTTP_PATHS = Rule(
    "http-paths",
    "An HTTP API matches routes by the decoded path, in which slashes at the start count as one; "
    "grants are compared with the path as it was sent. Where they would decide otherwise for the "
    "decoded one, the decision is not known.",
    Known.UNVERIFIED,
    "",
)
HTTP_FORBIDDEN = Rule(
    "http-forbidden",
    "An HTTP API says Forbidden, and no more, to whomever AWS_IAM refuses.",
    Known.PUBLIC_REPORT,
    "https://github.com/anomalyco/sst/issues/6336",
)
HTTP_WITHOUT_POLICY = Rule(
    "http-without-policy",
    "An HTTP API has no resource policy: grants of its own account decide alone.",
    Known.AWS_DOCUMENT,
    _APIGW + "http-api-vs-rest.html",
)
NOT_MODELLED = Rule(
    "not-modelled",
    "What this version cannot model is reported as unknown, never as admitted or refused.",
    Known.UNVERIFIED,
    "",
)
