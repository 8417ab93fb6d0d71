"""The forwarder before a backend of the network, as REST and as HTTP API, and real clients."""

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
from backstairs.http.asgi import read_body, send_response
from backstairs.local.deploy import FORWARDER, Sam, Stack, start_account
from backstairs.local.run import run
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
WITHOUT_KEYS = {
    "ApiType": "HTTP",
    "PartnerAllowlist": "0.0.0.0/0",
    "WebhookAllowlist": "0.0.0.0/0",
    "PartnerQuota": "0",
    "PartnerRate": "0",
    "PartnerBurst": "0",
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
    """Both kinds of the forwarder's stack, deployed by the real `sam` and behind their doors."""

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
            parameters = self._parameters(_network(self.account))
            sam.build(FORWARDER)
            self.sam, self.parameters = sam, parameters
            sam.deploy(self.account, STACKS["rest"], parameters)
            sam.deploy(self.account, STACKS["http"], {**parameters, **WITHOUT_KEYS})
            for stack in STACKS.values():
                self.account.client("ssm").put_parameter(
                    Name=f"/{stack.name}/github-webhook-secret", Type="SecureString", Value=SECRET
                )
            self._open()
        except BaseException:
            self._children.close()
            raise

    def _parameters(self, network: Mapping[str, str]) -> dict[str, str]:
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
            "WebhookRate": "1000",
            "WebhookBurst": "1000",
            "WebhookBackendUrl": f"https://{BACKEND}/hooks",
            "WebhookBackendCidr": "10.20.0.0/24",
            "DynamoDBPrefixListId": "pl-02cd2c6b",
        }

    def _open(self) -> None:
        opened, self._closing = threading.Event(), asyncio.Event()
        self._failure: BaseException | None = None

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            async with run(
                self.account,
                STACKS["rest"].name,
                children=self._children,
                python=function_python(),
                state=self._state,
                backends={BACKEND: self.backend},
            ) as running:
                self.running: Running = running
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

    def api_id(self, kind: str) -> str:
        """The public API's id."""
        names = {"rest": "PublicRestApi", "http": "PublicHttpApi"}
        return self.account.physical_ids(STACKS[kind].name)[names[kind]]

    def host(self, kind: str) -> str:
        """The public API's name."""
        return f"{self.api_id(kind)}.execute-api.{REGION}.amazonaws.com"

    def port(self, origin: str) -> int:
        """The port of an origin."""
        return next(one.port for one in self.running.origins if one.name == origin)

    @property
    def key(self) -> str:
        """The partner's key, where the key store has put it."""
        found = self.account.client("ssm").get_parameter(
            Name="/edge-rest/partner-api-key", WithDecryption=True
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
    ) -> Answer:
        """One call of the public API by a path below its stage."""
        return call(
            self.port(origin),
            method,
            f"/dev{path}",
            host=self.host(kind),
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
        return self.call(
            kind, "POST", "/webhooks/github", origin="github", headers=headers, body=body
        )


def signature(body: bytes, secret: str = SECRET) -> str:
    """What GitHub puts into X-Hub-Signature-256."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


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
