"""Public APIs of several stacks behind one running door: deployed, read, called."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.account.apis import deployed_stages
from backstairs.account.client import Account
from backstairs.cli.project import function_python
from backstairs.demo.tour import edge_stops
from backstairs.gateway.usage import Throttle
from backstairs.local.run import Doors
from backstairs.local.running import OpenApi, OpenRoute, Running
from backstairs.runtime.process import Children
from tests.local.test_emulator import Account as Emulated
from tests.local.test_emulator_edge import http_api, in_plan, key, plan, rest_api

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json = dict[str, Any]

HANDLER = """
import json, logging, os
def handler(event, context):
    logging.getLogger().info("seen", extra={"route": event.get("routeKey", "rest")})
    said = {"event": event, "log": os.environ.get("AWS_LAMBDA_LOG_FORMAT")}
    return {"statusCode": 200, "body": json.dumps(said)}
"""


def with_function(template: Json) -> Json:
    """The template with a function of its own behind its API."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${F.Arn}/invocations"
    text = json.dumps(template).replace(
        '"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/'
        'arn:aws:lambda:us-east-1:123456789012:function:f/invocations"',
        json.dumps({"Fn::Sub": uri.replace("F.Arn", "ForwarderFunction.Arn")}),
    )
    changed: Json = json.loads(text)
    changed["Resources"] |= {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}
            },
        },
        "ForwarderFunction": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ZipFile": HANDLER},
                "Handler": "index.handler",
                "Runtime": "python3.13",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "INFO"},
            },
        },
    }
    return changed


@dataclass
class Edge:
    """What runs: the account, and the door's addresses."""

    account: Account
    running: Running
    state: Path

    def call(
        self,
        api: str,
        path: str,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Json]:
        """GET from the internet; the answer's status and JSON."""
        found = next(one for one in self.running.apis if one.name == api)
        port = next(one.port for one in self.running.origins if one.name == "internet")
        host = f"{found.api_id}.execute-api.us-east-1.amazonaws.com"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request("GET", found.base + path, headers={"Host": host, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def settle(self, expected: int, headers: dict[str, str]) -> int:
        """Call until a change has reached the door: seconds at most."""
        status = 0
        for _ in range(60):
            status, _ = self.call("Api", "/partner/x", headers)
            if status == expected:
                break
            time.sleep(0.1)
        return status

    @property
    def value(self) -> str:
        """The generated value of the partner's key."""
        found = self.account.client("apigateway").get_api_keys(includeValues=True)["items"]
        [value] = [one["value"] for one in found if "edge-first-Key" in one["name"]]
        return str(value)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """A REST API in one stack and an HTTP API in another, in one running door."""
    state = tmp_path_factory.mktemp("edge")
    emulated = Emulated(tmp_path_factory.mktemp("state"))
    first = rest_api(
        Key=key(Enabled=True),
        Plan=plan(Throttle={"RateLimit": 90, "BurstLimit": 90}),
        PlanKey=in_plan({"Ref": "Key"}),
    )
    first["Resources"]["Plan"]["Properties"]["ApiStages"][0]["Throttle"] = {}
    second = http_api("$default", "/other")
    second["Resources"]["HttpApi"] = second["Resources"].pop("Api")
    second = json.loads(json.dumps(second).replace('{"Ref": "Api"}', '{"Ref": "HttpApi"}'))
    emulated.deploy("edge-first", with_function(first), Rate="500")
    emulated.deploy("edge-second", with_function(second), Rate="500")
    account = Account(f"http://127.0.0.1:{emulated.port}", "us-east-1")
    children = Children()
    started, stop = threading.Event(), threading.Event()
    seen: list[Running] = []

    async def serve() -> None:
        async with Doors(
            account, "edge-first", children=children, python=function_python(), state=state
        ) as doors:
            seen.append(doors.running)
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert started.wait(30)
        yield Edge(account, seen[0], state)
    finally:
        stop.set()
        thread.join()
        children.close()
        emulated.process.kill()
        emulated.process.communicate()


def test_functions_of_all_stacks_have_short_names(edge: Edge) -> None:
    """By their logical ids; the other stack's begins with its stack where both have the same."""
    assert set(edge.running.roles) == {"forwarder", "edge-second-forwarder"}
    assert {api.name: api.base for api in edge.running.apis} == {"Api": "/dev", "HttpApi": ""}
    assert not any(api.private for api in edge.running.apis)


def test_a_generated_key_lets_in(edge: Edge) -> None:
    """The function gets the request and the key's id; without the key nobody gets in."""
    status, said = edge.call("Api", "/partner/x", {"x-api-key": edge.value})

    assert status == 200
    assert said["event"]["requestContext"]["identity"]["apiKeyId"]
    assert edge.call("Api", "/partner/x")[0] == 403


def test_keys_are_followed(edge: Edge) -> None:
    """A new key works at once; one that is disabled or deleted stops within seconds."""
    gateway = edge.account.client("apigateway")
    [found] = gateway.get_usage_plans()["items"]
    made = gateway.create_api_key(name="late", enabled=True, value="a-late-key-of-a-partner")
    gateway.create_usage_plan_key(usagePlanId=found["id"], keyId=made["id"], keyType="API_KEY")
    offered = {"x-api-key": made["value"]}

    assert edge.settle(200, offered) == 200
    patch = [{"op": "replace", "path": "/enabled", "value": "false"}]
    gateway.update_api_key(apiKey=made["id"], patchOperations=patch)
    assert edge.settle(403, offered) == 403
    gateway.delete_api_key(apiKey=made["id"])
    assert edge.settle(403, offered) == 403


def test_an_http_api(edge: Edge) -> None:
    """At the root of its name, in payload 2.0, its throttles those of its stage."""
    status, said = edge.call("HttpApi", "/anything?x=1")

    assert status == 200
    assert said["event"]["version"] == "2.0"
    assert said["event"]["rawPath"] == "/anything"
    [stage] = [one for one in deployed_stages(edge.account) if one.api.name == "HttpApi"]
    assert {method.route.path: method.throttle for method in stage.methods} == {
        "/other": Throttle(rate=500, burst=5),
        "$default": Throttle(rate=10_000, burst=1),
    }


def test_functions_log_as_they_are_told(edge: Edge) -> None:
    """In JSON, with what a logger was given besides."""
    assert edge.call("Api", "/partner/x", {"x-api-key": edge.value})[1]["log"] == "JSON"
    log = (edge.state / "logs" / "forwarder.log").read_text("utf-8")
    lines = []
    for line in log.splitlines():
        with contextlib.suppress(ValueError):
            lines.append(json.loads(line))
    assert any(line.get("message") == "seen" for line in lines if isinstance(line, dict))


def test_nothing_logs_a_key(edge: Edge) -> None:
    """Neither the functions' logs nor what the control port shows hold its value."""
    edge.call("Api", "/partner/x", {"x-api-key": edge.value})

    for log in (edge.state / "logs").iterdir():
        assert edge.value not in log.read_text("utf-8")


def command(edge: Edge, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`backstairs call` in a folder that knows what runs; arguments may be any bytes."""
    (folder / ".backstairs").mkdir()
    edge.running.write(folder / ".backstairs" / "run.json")
    (folder / "template.yaml").touch()
    said = [sys.executable, "-m", "backstairs", "call", *arguments]
    return subprocess.run(said, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["G\u00e9T", "/partner/x"], "a method is a word of HTTP"),
        (["GET", "/partner/x", "-H", "X-\u00e9: 1"], "a header's name is a word of HTTP, in ASCII"),
        (["GET", "/partner/x", "-H", "X-One: \u20ac"], "header X-One: its value has a character"),
        (["GET", "/partner/x", "-H", "X-One: a\nb"], "header X-One: its value has a character"),
        (["GET", "/partner/x", "-H", "X-One: \udcff"], "header X-One: its value has a character"),
        (["GET", "/partner/x", "--api-key", "\u20ac"], "header X-Api-Key: its value has a"),
    ],
)
def test_what_no_request_can_hold(
    edge: Edge, tmp_path: Path, arguments: list[str], problem: str
) -> None:
    """One line says so, without the value, which may be a key."""
    said = command(edge, tmp_path, *arguments)

    assert said.returncode == 1
    assert said.stderr.startswith(f"backstairs: {problem}")
    assert len(said.stderr.splitlines()) == 1
    assert "\u20ac" not in said.stderr


def test_call_repeats_a_header_and_sends_any_bytes(edge: Edge, tmp_path: Path) -> None:
    """Each in its place; data are the argument's bytes, whatever they are."""
    headers = ["-H", "X-One: 1", "-H", "x-one: 2", "-H", "Content-Type: text/plain"]
    said = command(
        edge, tmp_path, "POST", "/anything", "--api", "HttpApi", *headers, "-d", "\u00e9\udcff"
    )

    event = json.loads(said.stdout.split("\n", 1)[1])["event"]
    assert event["headers"]["x-one"] == "1,2"
    assert event["headers"]["content-type"] == "text/plain"
    assert event["headers"]["content-length"] == "3"


def open_api(name: str, stage: str, *paths: str, http: bool = False) -> OpenApi:
    """A public API with routes."""
    routes = [OpenRoute("ANY", path) for path in paths]
    return OpenApi(name, name, stage, routes, private=False, http=http)


def test_an_api_is_found_as_its_routes_are() -> None:
    """A slash at the end of a REST API's path, escapes and the last resort of an HTTP API's."""
    rest = open_api("Rest", "dev", "/things", "/partner/{path+}")
    http = open_api("Http", "$default", "/hooks/{id}", http=True)
    last = open_api("Last", "$default", "$default", http=True)
    for apis, path, expected in (
        ([rest, http], "/things/", rest),
        ([rest, http], "/things/?x=1", rest),
        ([http, rest], "/partner/a/b", rest),
        ([rest, http], "//%68ooks/1", http),
        ([rest, http], "/hooks/1/", None),
        ([rest, http], "/nothing", None),
        ([last, rest], "/things", rest),
        ([rest, last], "/nothing", last),
    ):
        running = Running("http://127.0.0.1:1", "us-east-1", 1, [], apis, {})
        assert running.api_for(path) is expected
        assert running.api_with(path) is (expected or apis[0])


def test_call_does_not_guess_the_api(edge: Edge, tmp_path: Path) -> None:
    """Where none of several has the path, it asks for one by name."""
    apis = [api for api in edge.running.apis if not api.http]
    other = replace(apis[0], name="Other", routes=[OpenRoute("GET", "/other")])
    guessing = Edge(edge.account, replace(edge.running, apis=[*apis, other]), edge.state)

    said = command(guessing, tmp_path, "GET", "/nothing?token=1")

    assert said.returncode == 1
    assert said.stderr == "backstairs: no API has /nothing; name one with --api: Api, Other\n"


def test_without_the_forwarders_stack_there_is_no_tour_of_it(edge: Edge) -> None:
    """Whoever else has its path."""
    assert any("/partner/{path+}" in api.paths for api in edge.running.apis)
    assert edge_stops(edge.running) == []


@pytest.mark.parametrize("named", ["Key", "value"])
def test_backstairs_call_with_a_key(edge: Edge, tmp_path: Path, named: str) -> None:
    """By the key's logical id or by its value; the internet is a public API's own origin."""
    (tmp_path / ".backstairs").mkdir()
    edge.running.write(tmp_path / ".backstairs" / "run.json")
    (tmp_path / "template.yaml").touch()
    key_argument = edge.value if named == "value" else named
    command = [sys.executable, "-m", "backstairs", "call", "GET", "/partner/x", "--api", "Api"]
    command += ["--api-key", key_argument, "--header", "X-One: 1"]

    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    status, body = said.stdout.split("\n", 1)
    assert status == "200", said.stderr
    assert json.loads(body)["event"]["headers"]["X-One"] == "1"
    assert "[api-key-of-stage: AWS document]" in said.stderr
    assert edge.value not in said.stderr
