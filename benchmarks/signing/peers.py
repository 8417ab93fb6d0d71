"""The other signers, each called the way its own documentation has it.

A peer that needs its own kind of request gets it before the clock starts, unless making it is part
of every signature by the peer's own interface.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from benchmarks.signing.subject import HOST, KEY, REGION, SECRET, SERVICE, TOKEN, Signer

if TYPE_CHECKING:
    from requests import PreparedRequest


def botocore() -> Signer:
    auth, request = import_module("botocore.auth"), import_module("botocore.awsrequest")
    keys = import_module("botocore.credentials").Credentials(KEY, SECRET, TOKEN)

    def sign(given: PreparedRequest) -> None:
        theirs = request.AWSRequest(given.method, given.url, dict(given.headers), given.body)
        auth.SigV4Auth(keys, SERVICE, REGION).add_auth(theirs)
        given.headers.update(dict(theirs.headers.items()))

    return Signer("botocore, glued", sign)


def requests_aws4auth() -> Signer:
    kind = import_module("requests_aws4auth").AWS4Auth
    return Signer("requests-aws4auth", kind(KEY, SECRET, REGION, SERVICE, session_token=TOKEN))


def aws_requests_auth() -> Signer:
    kind = import_module("aws_requests_auth.aws_auth").AWSRequestsAuth
    return Signer("aws-requests-auth", kind(KEY, SECRET, HOST, REGION, SERVICE, TOKEN))


def requests_auth_aws_sigv4() -> Signer:
    kind = import_module("requests_auth_aws_sigv4").AWSSigV4
    auth = kind(
        SERVICE,
        region=REGION,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        aws_session_token=TOKEN,
    )
    return Signer("requests-auth-aws-sigv4", auth)


def to_httpx(request: PreparedRequest) -> Any:
    body = request.body or b""
    headers = dict(request.headers)
    return import_module("httpx").Request(
        request.method, request.url, headers=headers, content=body
    )


def httpx_auth() -> Signer:
    auth = import_module("httpx_auth").AWS4Auth(KEY, SECRET, REGION, SERVICE, security_token=TOKEN)
    return Signer("httpx-auth", lambda request: next(auth.auth_flow(request)), to_httpx)


def httpx_aws_auth() -> Signer:
    module = import_module("httpx_aws_auth")
    auth = module.AwsSigV4Auth(module.AwsCredentials(KEY, SECRET, TOKEN), REGION, SERVICE)
    return Signer("httpx-aws-auth", lambda request: next(auth.auth_flow(request)), to_httpx)


def httpx_auth_awssigv4() -> Signer:
    auth = import_module("httpx_auth_awssigv4").SigV4Auth(KEY, SECRET, SERVICE, REGION, TOKEN)
    return Signer("httpx-auth-awssigv4", auth, to_httpx)


def aws_sdk_signers() -> Signer:
    module = import_module("aws_sdk_signers")
    signer = module.SigV4Signer()
    keys = module.AWSCredentialIdentity(
        access_key_id=KEY, secret_access_key=SECRET, session_token=TOKEN
    )

    def convert(request: PreparedRequest) -> Any:
        path, _, query = request.path_url.partition("?")
        fields = [
            module.Field(name=name, values=[value]) for name, value in request.headers.items()
        ]
        return module.AWSRequest(
            destination=module.URI(host=HOST, path=path, query=query or None),
            method=request.method,
            body=[request.body] if request.body else None,
            fields=module.Fields([*fields, module.Field(name="host", values=[HOST])]),
        )

    def sign(request: Any) -> None:
        properties = {"region": REGION, "service": SERVICE}
        signer.sign(request=request, identity=keys, properties=properties)

    return Signer("aws-sdk-signers", sign, convert)


def awscurl() -> Signer:
    module = import_module("awscurl.awscurl")

    def sign(request: PreparedRequest) -> None:
        now = datetime.now(UTC)
        date, moment = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
        parts = module.url_path_to_dict(request.url)
        canonical, hashed, names = module.task_1_create_a_canonical_request(
            parts["query"],
            request.headers,
            parts["port"],
            parts["host"],
            moment,
            request.method,
            request.body,
            TOKEN,
            True,  # noqa: FBT003  data_binary
            parts["path"],
        )
        text, algorithm, scope = module.task_2_create_the_string_to_sign(
            moment, date, canonical, SERVICE, REGION
        )
        proof = module.task_3_calculate_the_signature(date, text, SERVICE, REGION, SECRET)
        request.headers.update(
            module.task_4_build_auth_headers_for_the_request(
                moment, hashed, algorithm, scope, names, proof, KEY, TOKEN
            )
        )

    return Signer("awscurl", sign)


def awscrt() -> Signer:
    auth, http = import_module("awscrt.auth"), import_module("awscrt.http")
    stream = import_module("io").BytesIO
    keys = auth.AwsCredentialsProvider.new_static(KEY, SECRET, TOKEN)

    def convert(request: PreparedRequest) -> Any:
        headers = http.HttpHeaders([*request.headers.items(), ("Host", HOST)])
        body = stream(request.body) if request.body else None
        return http.HttpRequest(request.method, request.path_url, headers, body)

    def sign(request: Any) -> None:
        config = auth.AwsSigningConfig(
            algorithm=auth.AwsSigningAlgorithm.V4,
            signature_type=auth.AwsSignatureType.HTTP_REQUEST_HEADERS,
            credentials_provider=keys,
            region=REGION,
            service=SERVICE,
        )
        auth.aws_sign_request(request, config).result()

    return Signer("awscrt", sign, convert)


PEERS = (
    aws_requests_auth,
    requests_aws4auth,
    requests_auth_aws_sigv4,
    botocore,
    awscurl,
    awscrt,
    aws_sdk_signers,
    httpx_auth,
    httpx_aws_auth,
    httpx_auth_awssigv4,
)
