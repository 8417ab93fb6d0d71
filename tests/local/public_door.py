"""A door before one public API, on a real port, with a function that says what it was given."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from backstairs.access import (
    Api,
    ApiKey,
    Authorization,
    Endpoint,
    Origin,
    Principal,
    Route,
    parse_policy,
)
from backstairs.gateway.authentication import Identity
from backstairs.gateway.door import Door
from backstairs.gateway.routes import Directory
from backstairs.gateway.stage import Method, Stage
from backstairs.gateway.usage import KnownKey, Plan, Throttles, Usage, throttle_of
from backstairs.http.servers import Servers
from backstairs.local.control import describe
from backstairs.runtime.pool import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.access import Policy

ACCOUNT, REGION, API_ID = "123456789012", "us-east-1", "a1b2c3d4e5"
HOST = f"{API_ID}.execute-api.{REGION}.amazonaws.com"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:forwarder"
INTERNET = Origin("internet", None, "203.0.113.10")
ENDPOINT = Origin("endpoint", Endpoint("vpce-1", "vpc-1"), "10.0.0.10")
PARTNER = Route("ANY", "/partner/{path+}", Authorization.NONE, FUNCTION, needs_key=True)
HOOKS = Route("POST", "/webhooks/github", Authorization.NONE, FUNCTION)
STAGE = (API_ID, "dev")
CREDENTIALS = Credentials("AKIDEXAMPLE", "secret")


def api(*routes: Route, policy: Policy | None = None, **more: Any) -> Api:
    """A public API with a stage `dev`."""
    values = {
        "api_id": API_ID,
        "name": "PublicApi",
        "stage": "dev",
        "region": REGION,
        "account": ACCOUNT,
        "private": False,
        "policy": policy,
        "routes": routes or (PARTNER, HOOKS),
    }
    return Api(**{**values, **more})


def key(plan: Plan | None = None, *, key_id: str = "k-1", enabled: bool = True) -> KnownKey:
    """A key of a usage plan with the stage."""
    stages = frozenset({STAGE} if plan else ())
    return KnownKey(ApiKey(key_id, key_id, enabled, stages), {STAGE: plan} if plan else {})


def throttled(throttles: Throttles, *routes: Route) -> tuple[Method, ...]:
    """Methods of a stage with throttles, by default those of the partner and the webhooks."""
    return tuple(
        Method(route, throttle=throttle_of(route, throttles))
        for route in routes or (PARTNER, HOOKS)
    )


class Function:
    """Stands where a function's workers are: keeps its events, gives the answer it is told."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.answer: object = {"statusCode": 200, "body": "{}"}
        self.seconds = 0.0

    async def invoke(self, payload: bytes, _trace_id: str = "") -> Result:
        """Keep the event and answer."""
        self.events.append(json.loads(payload))
        await asyncio.sleep(self.seconds)
        said = self.answer
        if isinstance(said, Result):
            return said
        return Result(json.dumps(said).encode())


@dataclass
class OneIdentity:
    """A role of the account with a grant for `/partner/*`, and its access key."""

    account: str = ACCOUNT

    async def identity_of(self, access_key_id: str) -> Identity | None:
        """The role, for its own key."""
        if access_key_id != CREDENTIALS.access_key:
            return None
        resource = f"arn:aws:execute-api:{REGION}:*:*/*/*/partner/*"
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}
        grant = parse_policy("grant", {"Statement": [statement]})
        role = f"arn:aws:iam::{self.account}:role/partner"
        principal = Principal(
            role, role, self.account, "AssumedRole", "AROA:partner", policies=(grant,)
        )
        return Identity(principal, CREDENTIALS.secret_key, None, None)


@dataclass
class KnownKeys:
    """API keys by their values."""

    by_value: Mapping[str, KnownKey]

    async def key_of(self, value: str) -> KnownKey | None:
        """The key with a value, or None."""
        return self.by_value.get(value)


@dataclass
class Clock:
    """A clock that stands still until it is moved; it starts at noon of a Saturday, in UTC."""

    now: float = field(default=1795262400.0)

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.now


@dataclass(frozen=True)
class Said:
    """A response: status, headers in order, body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The one value of a header, None if there is none."""
        values = [value for key, value in self.headers if key.lower() == name]
        assert len(values) < 2
        return values[0] if values else None

    @property
    def message(self) -> str:
        """What a refusal says."""
        text: str = json.loads(self.body)["message"]
        return text


class PublicDoor:
    """The door on a port of its own, in a thread of its own."""

    def __init__(
        self,
        of: Api | None = None,
        methods: tuple[Method, ...] = (),
        *,
        keys: Mapping[str, KnownKey] | None = None,
        identities: OneIdentity | None = None,
        functions: Mapping[str, Any] | None = None,
        binary_types: tuple[str, ...] = (),
    ) -> None:
        self.api = of or api()
        self.function, self.clock = Function(), Clock()
        pools: Any = functions or {FUNCTION: self.function}
        self.door = Door(
            Directory([Stage(self.api, methods, binary_types, "d-1")]),
            pools,
            identities or OneIdentity(),
            REGION,
            keys=KnownKeys(keys or {}),
            usage=Usage(self.clock),
        )
        self._servers = Servers()
        self.port = self._servers.add(partial(self.door.serve, INTERNET))
        self.endpoint_port = self._servers.add(partial(self.door.serve, ENDPOINT))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self._loop.run_until_complete(self._servers.run())
        self._loop.close()

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run(self._servers.started())
        return self

    def __exit__(self, *_: object) -> None:
        self._servers.stop()
        self._thread.join()

    def call(
        self,
        method: str = "GET",
        path: str = "/dev/partner/x",
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        port: int | None = None,
    ) -> Said:
        """Send one request as it is given, without any header of a client's own but the length."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", HOST)
            for name, value in headers or ():
                connection.putheader(name, value)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return Said(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def why(self) -> list[str]:
        """The rules of the last decision, as the control port shows them."""
        record = self.door.decisions.last()
        return [reason["rule"] for reason in describe(record)["reasons"]]

    def reason(self) -> str:
        """The words of the last reason of the last decision."""
        text: str = describe(self.door.decisions.last())["reasons"][-1]["text"]
        return text

    def body_of(self, number: int = -1) -> bytes:
        """The body that the function was given, decoded."""
        event = self.function.events[number]
        text = event.get("body") or ""
        return base64.b64decode(text) if event["isBase64Encoded"] else text.encode()


def signed(method: str, path: str, body: bytes = b"") -> list[tuple[str, str]]:
    """The headers that botocore signs a request with."""
    request = AWSRequest(method, f"https://{HOST}{path}", data=body)
    SigV4Auth(CREDENTIALS, "execute-api", REGION).add_auth(request)
    return list(request.headers.items())
