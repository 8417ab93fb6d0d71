"""The public stacks before a backend of the network, as REST and as HTTP API, and real clients."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import subprocess
import sys
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from backstairs.account.client import Account
from backstairs.cli.project import function_python, tool
from backstairs.client import Answer, call
from backstairs.demo.deliveries import GITHUB
from backstairs.demo.public import FORWARDER
from backstairs.http.asgi import read_body, send_response
from backstairs.local.deploy import Sam, Stack, start_account
from backstairs.local.run import Doors
from backstairs.runtime.process import Children
from tests.local.application import ROOT, copy_application

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.credentials import Credentials

    from backstairs.http.asgi import Receive, Scope, Send
    from backstairs.local.running import Running

REGION = "us-east-1"
BACKEND = "backend.example.internal"
SECRET = "a-secret-of-the-tests"
NETWORK = "edge-network"
STACKS = {
    kind: Stack(f"edge-{kind}", FORWARDER.template, FORWARDER.environment)
    for kind in ("rest", "http")
}
WEBHOOKS = {
    kind: Stack(f"edge-webhooks-{kind}", "stacks/webhooks.yaml", "webhooks")
    for kind in ("rest", "http", "stripe")
}
PARTNER = Stack("edge-partner", "stacks/partner.yaml", "partner")
WITHOUT_KEYS = {
    "ApiType": "HTTP",
    "PartnerAllowlist": "0.0.0.0/0",
    "PartnerQuota": "0",
    "PartnerRate": "0",
    "PartnerBurst": "0",
}
OF_WEBHOOKS = {
    "rest": {"Provider": "github"},
    "http": {"Provider": "github", "ApiType": "HTTP", "WebhookAllowlist": "0.0.0.0/0"},
    "stripe": {"Provider": "stripe", "WebhookAllowlist": "0.0.0.0/0"},
}


@dataclass
class Arrived:
    """One request as the backend saw it."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        """The values of a header, by its lower-case name."""
        return [value for key, value in self.headers if key == name]


@dataclass
class Backend:
    """A backend that keeps what arrives and answers what it is told to."""

    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b"from the backend"
    arrived: list[Arrived] = field(default_factory=list)

    def reset(self) -> None:
        """Forget what arrived, and answer as at first."""
        self.status, self.headers, self.body, self.arrived = 200, [], b"from the backend", []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        body = await read_body(receive, 32 * 1024 * 1024)
        headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        self.arrived.append(Arrived(scope["method"], path, query, headers, body))
        await send_response(send, self.status, self.body, self.headers)


class Edge:
    """The public stacks, deployed by the real `sam` and behind their doors.

    Of both kinds the forwarder's and GitHub's webhooks; Stripe's webhooks, and another partner.
    """

    def __init__(self, folder: Path) -> None:
        self.backend = Backend()
        root = copy_application(folder)
        self._state = folder / "state"
        logs = self._state / "logs"
        logs.mkdir(parents=True)
        self._children = Children()
        try:
            uv = str(Path(tool("uv")).parent)
            sam = Sam(tool("sam"), [uv], root, logs, self._children)
            self.account = Account(
                start_account(sys.executable, self._children, self._state, REGION), REGION
            )
            network = _network(self.account)
            parameters, webhooks = _parameters(network), _webhooks(network)
            sam.build(FORWARDER, WEBHOOKS["rest"], PARTNER)
            self.sam, self.parameters, self.webhooks = sam, parameters, webhooks
            sam.deploy(self.account, STACKS["rest"], parameters)
            sam.deploy(self.account, STACKS["http"], {**parameters, **WITHOUT_KEYS})
            sam.deploy(self.account, PARTNER, {"ApiStackName": STACKS["rest"].name})
            for kind, more in OF_WEBHOOKS.items():
                sam.deploy(self.account, WEBHOOKS[kind], {**webhooks, **more})
                self.account.client("ssm").put_parameter(
                    Name=self.account.outputs(WEBHOOKS[kind].name)["WebhookSecretParameterName"],
                    Type="SecureString",
                    Value=SECRET,
                )
            self._open()
        except BaseException:
            self._children.close()
            raise

    def _open(self) -> None:
        opened, self._closing = threading.Event(), asyncio.Event()
        self._failure: BaseException | None = None

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            async with Doors(
                self.account,
                STACKS["rest"].name,
                children=self._children,
                python=function_python(),
                state=self._state,
                backends={BACKEND: self.backend},
                origins=[GITHUB],
            ) as doors:
                self.running: Running = doors.running
                opened.set()
                await self._closing.wait()

        def serving() -> None:
            try:
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    runner.run(serve())
            except BaseException as error:  # noqa: BLE001 - handed over to the test
                self._failure = error
                opened.set()

        self._thread = threading.Thread(target=serving)
        self._thread.start()
        opened.wait(60)
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Close the doors, and end everything."""
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(30)
        self._children.close()
        assert self._failure is None, self._failure

    def log(self, function: str) -> str:
        """What a function has logged."""
        return "".join(
            path.read_text("utf-8") for path in (self._state / "logs").glob(f"*{function}*.log")
        )

    def host(self, kind: str, stacks: Mapping[str, Stack] = STACKS) -> str:
        """The name of the public API of a stack."""
        found = self.account.physical_ids(stacks[kind].name)
        api_id = found.get("PublicRestApi") or found["PublicHttpApi"]
        return f"{api_id}.execute-api.{REGION}.amazonaws.com"

    def port(self, origin: str) -> int:
        """The port of an origin."""
        return next(one.port for one in self.running.origins if one.name == origin)

    @property
    def key(self) -> str:
        """The first partner's key."""
        return self.key_of(STACKS["rest"])

    def key_of(self, stack: Stack) -> str:
        """The key of a stack's partner, where the key store has put it."""
        found = self.account.client("ssm").get_parameter(
            Name=f"/{stack.name}/partner-api-key", WithDecryption=True
        )
        value: str = found["Parameter"]["Value"]
        return value

    def curl(self, kind: str, path: str, *options: str, origin: str = "internet") -> str:
        """Curl as a partner of the REST API (by key) or of the HTTP API (by signature)."""
        proof = (
            ["--header", f"x-api-key: {self.key}"]
            if kind == "rest"
            else ["--aws-sigv4", f"aws:amz:{REGION}:execute-api", "--user", "test:test"]
        )
        url = f"http://127.0.0.1:{self.port(origin)}/dev{path}"
        command = ["curl", "--silent", "--show-error", "--path-as-is", "--globoff", *proof]
        done = subprocess.run(
            [*command, "--header", f"Host: {self.host(kind)}", *options, url],
            capture_output=True,
            check=False,
            timeout=60,
            env={name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode("latin-1")

    def call(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        origin: str = "internet",
        credentials: Credentials | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        stacks: Mapping[str, Stack] = STACKS,
    ) -> Answer:
        """One call of a public API by a path below its stage."""
        return call(
            self.port(origin),
            method,
            f"/dev{path}",
            host=self.host(kind, stacks),
            region=REGION,
            credentials=credentials,
            headers=headers,
            body=body,
        )

    def deliver(self, kind: str, body: bytes, **changed: str) -> Answer:
        """A webhook as GitHub sends it; `changed` replaces headers, underscores for dashes."""
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": signature(body),
        }
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        return self.post(kind, "/webhooks/github", headers, body)

    def post(
        self, kind: str, path: str, headers: Mapping[str, str], body: bytes, origin: str = "github"
    ) -> Answer:
        """A webhook, from GitHub's addresses if no other origin is said."""
        return self.call(
            kind, "POST", path, origin=origin, headers=headers, body=body, stacks=WEBHOOKS
        )


def signature(body: bytes, secret: str = SECRET) -> str:
    """What GitHub puts into X-Hub-Signature-256."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def _parameters(network: Mapping[str, str]) -> dict[str, str]:
    return {
        "VpcId": network["VpcId"],
        "SubnetIds": network["SubnetIds"],
        "BackendUrl": f"https://{BACKEND}/base",
        "BackendCidr": "10.20.0.0/24",
        "PartnerAllowlist": "203.0.113.0/24",
        "PartnerQuota": "100000",
        "PartnerRate": "1000",
        "PartnerBurst": "1000",
        "StageRate": "1000",
        "StageBurst": "1000",
    }


def _webhooks(network: Mapping[str, str]) -> dict[str, str]:
    return {
        "VpcId": network["VpcId"],
        "SubnetIds": network["SubnetIds"],
        "WebhookBackendUrl": f"https://{BACKEND}/hooks",
        "WebhookBackendCidr": "10.20.0.0/24",
        "DynamoDBPrefixListId": "pl-02cd2c6b",
    }


def _network(account: Account) -> dict[str, str]:
    client = account.client("cloudformation")
    template = (ROOT / "stacks" / "network.yaml").read_text("utf-8")
    client.create_stack(StackName=NETWORK, TemplateBody=template)
    client.get_waiter("stack_create_complete").wait(
        StackName=NETWORK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    return account.outputs(NETWORK)


def message(answer: Answer) -> Any:
    """The message of an answer in JSON."""
    said = json.loads(answer.body)
    return said.get("message", said.get("Message"))
