"""A provider on one side of the function, a backend on the other, the account beside it."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import uuid
from threading import Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from forwarder.answer import render
from forwarder.backend import Backend as ForwardingBackend
from forwarder.deliveries import Deliveries
from forwarder.event import read
from forwarder.providers import GITHUB, PROVIDERS
from forwarder.webhook_secrets import WebhookSecrets
from forwarder.webhooks import Webhooks

from tests.functions.conftest import ROOT, account_port, client_at, role  # noqa: F401 - a fixture
from tests.webhooks.backend import Backend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forwarder.providers import Provider

OF_THE_SAMPLE = ("X-GitHub-Event", "X-GitHub-Delivery", "X-Hub-Signature-256")
SECRET = "sample-webhook-secret-0001"  # what events/webhooks is signed with


def sample(name: str) -> dict[str, Any]:
    """A sample event by its name."""
    text = (ROOT / "events" / "webhooks" / f"{name}.json").read_text(encoding="utf-8")
    event: dict[str, Any] = json.loads(text)
    return event


def sign(body: bytes, secret: str = SECRET) -> str:
    """The signature that GitHub sends with a body."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


class Switch:
    """A client that can be cut off: calls then end at a port where nobody listens."""

    def __init__(self, client: Any, service: str) -> None:
        self._client, self._nobody = client, client_at(9, service)
        self.is_down = False
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("meta", "exceptions"):
            return getattr(self._client, name)

        def call(**parameters: Any) -> Any:
            self.calls += 1
            return getattr(self._nobody if self.is_down else self._client, name)(**parameters)

        return call


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Sender:
    """Delivers to a provider's function, through events as API Gateway makes them."""

    def __init__(
        self,
        port: int,
        backend: Backend,
        as_role: Callable[[str], Any],
        provider: Provider = GITHUB,
    ) -> None:
        self.backend, self.clock, self.provider = backend, Clock(), provider
        name = uuid.uuid4().hex[:12]
        self.parameter, self.table = f"/webhooks-{name}/secret", f"webhooks-{name}"
        self._ssm, self.operator = client_at(port, "ssm"), client_at(port)
        self.write(SECRET)
        self.operator.create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        self.ssm = Switch(as_role("ssm"), "ssm")
        self.dynamodb = Switch(as_role("dynamodb"), "dynamodb")
        self.seconds = 10.0
        self._forwarding: list[ForwardingBackend] = []
        self.webhooks = self.fresh()

    def fresh(self) -> Webhooks:
        """What the function is when its sandbox starts."""
        forwarding = ForwardingBackend.from_environment(
            {"BACKEND_URL": self.backend.url, "BACKEND_SECONDS": "5"}
        )
        self._forwarding.append(forwarding)
        return Webhooks(
            provider=self.provider,
            secrets=WebhookSecrets(self.ssm, self.parameter, 300, self.clock),
            deliveries=Deliveries(self.dynamodb, self.table, self.provider.name),
            backend=forwarding,
            clock=self.clock,
        )

    def write(self, *secrets: str) -> None:
        """What an operator does: put the secrets, newest first."""
        value = "\n".join(secrets)
        self._ssm.put_parameter(
            Name=self.parameter, Value=value, Type="SecureString", Overwrite=True
        )

    def remove(self) -> None:
        """Take the parameter away."""
        self._ssm.delete_parameters(Names=[self.parameter])

    def items(self) -> list[dict[str, Any]]:
        """What is stored of deliveries."""
        found: list[Any] = self.operator.scan(TableName=self.table, ConsistentRead=True)["Items"]
        return found

    def has_seen_nothing(self) -> bool:
        """Whether nothing reached the backend, nor the table."""
        return not self.backend.sent and not self.items()

    def close(self) -> None:
        """Leave nothing in the account, and no connection open."""
        for forwarding in self._forwarding:
            forwarding.close()
        self.operator.delete_table(TableName=self.table)
        self.remove()

    def send(self, event: dict[str, Any]) -> tuple[int, Any]:
        """Hand an event to the function; status and JSON of its answer."""
        request = read(event)
        context: Any = SimpleNamespace(
            get_remaining_time_in_millis=lambda: int(self.seconds * 1000)
        )
        answer = render(self.webhooks.receive(request, context), request)
        body = answer.get("body") or ""
        return answer["statusCode"], json.loads(body) if body else None

    def post(self, body: bytes, headers: dict[str, Any], payload: str = "1.0") -> tuple[int, Any]:
        """Send a body with these headers and none of the sample's own."""
        none = dict.fromkeys(OF_THE_SAMPLE)
        return self.send(event_of(body, none | headers, payload))

    def deliver(
        self,
        body: bytes = b'{"zen":"Keep it logically awesome."}',
        *,
        event: str = "push",
        delivery: str | None = None,
        secret: str = SECRET,
        payload: str = "1.0",
        **headers: str | list[str] | None,
    ) -> tuple[int, Any]:
        """Deliver a body as GitHub does. A header is `X_Name="value"`; None leaves it out."""
        values: dict[str, Any] = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
            "X-Hub-Signature-256": sign(body, secret),
        }
        values |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(event_of(body, values, payload))


def event_of(body: bytes, values: dict[str, Any], payload: str) -> dict[str, Any]:
    """An event with a body and headers, in one of API Gateway's formats."""
    event = copy.deepcopy(sample("rest-push" if payload == "1.0" else "http-push"))
    event["body"] = body.decode()
    lists: dict[str, list[str] | None] = {
        name: [one] if isinstance(one, str) else one for name, one in values.items()
    }
    kept = {name.lower() for name in lists}
    if payload == "2.0":
        event["headers"] = {n: v for n, v in event["headers"].items() if n not in kept}
        event["headers"] |= {n.lower(): ",".join(v) for n, v in lists.items() if v is not None}
        return event
    for part in ("multiValueHeaders", "headers"):
        event[part] = {n: v for n, v in event[part].items() if n.lower() not in kept}
    event["multiValueHeaders"] |= {n: v for n, v in lists.items() if v is not None}
    event["headers"] |= {n: v[-1] for n, v in lists.items() if v}
    return event


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A backend while the test runs."""
    with Backend() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.open.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def as_role(account_port: int) -> Iterator[Callable[[str], Any]]:  # noqa: F811 - the fixture
    """Clients with what the function's role is granted, and no more."""
    grants = [
        {
            "Effect": "Allow",
            "Action": "ssm:GetParameter",
            "Resource": "arn:aws:ssm:us-east-1:123456789012:parameter/webhooks-*",
        },
        {
            "Effect": "Allow",
            "Action": ["dynamodb:PutItem", "dynamodb:DeleteItem"],
            "Resource": "arn:aws:dynamodb:us-east-1:123456789012:table/webhooks-*",
        },
    ]
    with role(account_port, grants) as client:
        yield client


@pytest.fixture
def sender(
    account_port: int,  # noqa: F811 - the fixture
    backend: Backend,
    as_role: Callable[[str], Any],
    request: pytest.FixtureRequest,
) -> Iterator[Sender]:
    """The provider that a test names, with a function that knows its secret; GitHub if none."""
    sender = Sender(account_port, backend, as_role, PROVIDERS[getattr(request, "param", "github")])
    yield sender
    sender.close()


@pytest.fixture
def github(sender: Sender) -> Sender:
    """GitHub, with a function that knows its secret."""
    return sender
