"""The key store, on API keys and parameters of the emulated account, with its role's rights."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import uuid
from threading import Thread, Timer
from typing import TYPE_CHECKING, Any

import pytest
from key_store import answer
from key_store.errors import AnswerLostError
from key_store.handler import InvalidEventError, handle, lambda_handler
from key_store.request import Request
from key_store.store import CALL_SECONDS

from tests.functions.cloudformation import ResponseServer
from tests.functions.conftest import ROOT, client_at, policy, role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/partners"
PARAMETERS = "arn:aws:ssm:us-east-1:123456789012:parameter"
GRANTS = [
    {
        "Effect": "Allow",
        "Action": "apigateway:GET",
        "Resource": "arn:aws:apigateway:us-east-1::/apikeys/*",
    },
    {
        "Effect": "Allow",
        "Action": [
            "ssm:PutParameter",
            "ssm:AddTagsToResource",
            "ssm:ListTagsForResource",
            "ssm:DeleteParameter",
        ],
        "Resource": f"{PARAMETERS}/partners-*",
    },
]


class Keys:
    """API keys and parameters of the account, as its root sees them."""

    def __init__(self, port: int) -> None:
        self.gateway, self.ssm = client_at(port, "apigateway"), client_at(port, "ssm")

    def make(self) -> tuple[str, str]:
        """A new API key: id and value."""
        key = self.gateway.create_api_key(name="partner", enabled=True)
        return key["id"], key["value"]

    def value(self, name: str) -> str | None:
        """What a SecureString holds, or None where there is no parameter."""
        found = self.ssm.get_parameters(Names=[name], WithDecryption=True)["Parameters"]
        if not found:
            return None
        assert found[0]["Type"] == "SecureString"
        value: str = found[0]["Value"]
        return value


@pytest.fixture
def keys(account_port: int) -> Keys:
    """The account's API keys and parameters."""
    return Keys(account_port)


@pytest.fixture(scope="module")
def granted(account_port: int) -> Iterator[Callable[[str], Any]]:
    """Clients with the rights that the key store's role has."""
    with role(account_port, GRANTS) as client:
        yield client


@pytest.fixture
def server() -> Iterator[ResponseServer]:
    """Where CloudFormation waits for answers."""
    with ResponseServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Stack:
    """CloudFormation's side of one resource: asks, and keeps the resource's id."""

    def __init__(self, server: ResponseServer, client: Callable[[str], Any], event: Any) -> None:
        self.server, self.client, self._event = server, client, event
        self.stack_id = f"{STACK}/{uuid.uuid4()}"
        self.name = f"/partners-{uuid.uuid4().hex[:8]}/api-key"
        self.physical_id: str | None = None
        self.seconds = 60.0

    def ask(self, sample: str, request_id: str | None = None, **properties: Any) -> dict[str, Any]:
        """Send a sample request about this stack's resource; the one answer that came."""
        event = self._event(f"key_store/{sample}")
        event |= {"ResponseURL": self.server.url, "StackId": self.stack_id}
        event["RequestId"] = request_id or str(uuid.uuid4())
        if self.physical_id is not None:
            event["PhysicalResourceId"] = self.physical_id
        if properties:
            event["ResourceProperties"] = properties
        before = len(self.server.told)
        handle(event, self.client, lambda: self.seconds)
        (told,) = self.server.told[before:]
        for name in ("StackId", "RequestId", "LogicalResourceId"):
            assert told.json[name] == event[name]
        return told.json

    def create(self, api_key_id: str, request_id: str | None = None) -> dict[str, Any]:
        """Create the resource; its id is what the answer says."""
        self.physical_id = None
        told = self.ask("create", request_id, ApiKeyId=api_key_id, ParameterName=self.name)
        self.physical_id = told["PhysicalResourceId"]
        return told


@pytest.fixture
def stack(server: ResponseServer, granted: Any, event: Any, keys: Keys) -> Iterator[Stack]:
    """A stack with one resource, not created yet; what it leaves is taken away."""
    stack = Stack(server, granted, event)
    yield stack
    keys.ssm.delete_parameters(Names=[stack.name, f"{stack.name}-2"])


def test_the_value_is_kept_as_long_as_the_resource_is(stack: Stack, keys: Keys) -> None:
    """Created, it can be read; deleted, it is gone; the id is the parameter's name."""
    api_key, value = keys.make()
    told = stack.create(api_key)
    assert (told["Status"], told["PhysicalResourceId"]) == ("SUCCESS", stack.name)
    assert told["Data"] == {"ParameterName": stack.name}
    assert told["NoEcho"] is True
    assert keys.value(stack.name) == value
    told = stack.ask("delete")
    assert (told["Status"], told["PhysicalResourceId"]) == ("SUCCESS", stack.name)
    assert keys.value(stack.name) is None


def test_another_key_under_the_same_name_replaces_the_value(stack: Stack, keys: Keys) -> None:
    """As when CloudFormation replaced the API key; the resource stays the same one."""
    stack.create(keys.make()[0])
    api_key, value = keys.make()
    told = stack.ask("update-key", ApiKeyId=api_key, ParameterName=stack.name)
    assert (told["Status"], told["PhysicalResourceId"]) == ("SUCCESS", stack.name)
    assert keys.value(stack.name) == value


def test_another_name_is_a_replacement(stack: Stack, keys: Keys) -> None:
    """The new parameter is there before CloudFormation, seeing a new id, deletes the old one."""
    api_key, value = keys.make()
    stack.create(api_key)
    told = stack.ask("update-name", ApiKeyId=api_key, ParameterName=f"{stack.name}-2")
    assert (told["Status"], told["PhysicalResourceId"]) == ("SUCCESS", f"{stack.name}-2")
    assert keys.value(stack.name) == keys.value(f"{stack.name}-2") == value
    assert stack.ask("delete")["Status"] == "SUCCESS"
    assert keys.value(stack.name) is None
    assert keys.value(f"{stack.name}-2") == value


def test_a_replacement_that_is_rolled_back_ends_where_it_began(stack: Stack, keys: Keys) -> None:
    """The old name with its value, and nothing under the new one."""
    api_key, value = keys.make()
    stack.create(api_key)
    stack.physical_id = stack.ask("update-name", ApiKeyId=api_key, ParameterName=f"{stack.name}-2")[
        "PhysicalResourceId"
    ]
    told = stack.ask("rollback-of-update-name", ApiKeyId=api_key, ParameterName=stack.name)
    assert (told["Status"], told["PhysicalResourceId"]) == ("SUCCESS", stack.name)
    assert stack.ask("delete")["Status"] == "SUCCESS"
    assert keys.value(stack.name) == value
    assert keys.value(f"{stack.name}-2") is None


@pytest.mark.parametrize("phase", ["create", "update", "rename", "delete"])
def test_a_request_that_comes_again_changes_nothing(stack: Stack, keys: Keys, phase: str) -> None:
    """The same answer and the same parameters, in every phase."""
    api_key, value = keys.make()
    seen: list[Any] = []
    for _ in range(2):
        if phase == "create":
            told = stack.create(api_key, "same")
        else:
            if not seen:
                stack.create(keys.make()[0] if phase == "update" else api_key)
            match phase:
                case "update":
                    told = stack.ask(
                        "update-key", "same", ApiKeyId=api_key, ParameterName=stack.name
                    )
                case "rename":
                    told = stack.ask(
                        "update-name", "same", ApiKeyId=api_key, ParameterName=f"{stack.name}-2"
                    )
                case _:
                    told = stack.ask("delete", "same")
        seen.append((told, keys.value(stack.name), keys.value(f"{stack.name}-2")))
    assert seen[0] == seen[1]
    assert seen[0][0]["Status"] == "SUCCESS"
    renamed = value if phase == "rename" else None
    assert seen[0][1:] == (None if phase == "delete" else value, renamed)


def test_what_is_not_ours_is_neither_overwritten_nor_deleted(stack: Stack, keys: Keys) -> None:
    """The creation fails and says why; the rollback's deletion leaves the parameter alone."""
    keys.ssm.put_parameter(Name=stack.name, Value="somebody's", Type="SecureString")
    told = stack.create(keys.make()[0])
    assert told["Status"] == "FAILED"
    assert f"parameter {stack.name} exists" in told["Reason"]
    assert stack.ask("delete")["Status"] == "SUCCESS"
    assert keys.value(stack.name) == "somebody's"


def test_another_stacks_parameter_is_not_ours(stack: Stack, keys: Keys) -> None:
    """Nor is that of another resource of the same stack."""
    api_key, value = keys.make()
    stack.create(api_key)
    own = stack.stack_id
    stack.stack_id = f"{own}x"
    assert stack.create(keys.make()[0])["Status"] == "FAILED"
    assert stack.ask("delete")["Status"] == "SUCCESS"
    assert keys.value(stack.name) == value
    stack.stack_id = own
    assert stack.ask("delete")["Status"] == "SUCCESS"
    assert keys.value(stack.name) is None


def test_a_name_that_is_taken_fails_the_update_and_harms_neither(stack: Stack, keys: Keys) -> None:
    """The resource keeps its id, so that the rollback finds what it had."""
    api_key, value = keys.make()
    stack.create(api_key)
    taken = f"{stack.name}-2"
    keys.ssm.put_parameter(Name=taken, Value="somebody's", Type="SecureString")
    told = stack.ask("update-name", ApiKeyId=api_key, ParameterName=taken)
    assert (told["Status"], told["PhysicalResourceId"]) == ("FAILED", stack.name)
    told = stack.ask("rollback-of-update-name", ApiKeyId=api_key, ParameterName=stack.name)
    assert told["Status"] == "SUCCESS"
    assert (keys.value(stack.name), keys.value(taken)) == (value, "somebody's")


def test_what_a_failed_replacement_wrote_is_tidied_by_the_rollback(
    stack: Stack, keys: Keys, server: ResponseServer, event: Any
) -> None:
    """As when the new parameter was written and the function then ended without an answer."""
    api_key, value = keys.make()
    stack.create(api_key)
    written = stack.ask("update-name", ApiKeyId=api_key, ParameterName=f"{stack.name}-2")
    assert written["Status"] == "SUCCESS"
    rollback = event("key_store/rollback-of-update-name") | {
        "ResponseURL": server.url,
        "StackId": stack.stack_id,
        "PhysicalResourceId": stack.name,
    }
    for given, name in (
        ("ResourceProperties", stack.name),
        ("OldResourceProperties", f"{stack.name}-2"),
    ):
        rollback[given] |= {"ApiKeyId": api_key, "ParameterName": name}
    handle(rollback, stack.client, lambda: 60)
    assert server.told[-1].json["Status"] == "SUCCESS"
    assert (keys.value(stack.name), keys.value(f"{stack.name}-2")) == (value, None)


def test_a_parameter_that_was_deleted_by_hand_is_no_trouble(stack: Stack, keys: Keys) -> None:
    """An update writes it again; a deletion has nothing to do."""
    api_key, value = keys.make()
    stack.create(api_key)
    keys.ssm.delete_parameter(Name=stack.name)
    told = stack.ask("update-key", ApiKeyId=api_key, ParameterName=stack.name)
    assert (told["Status"], keys.value(stack.name)) == ("SUCCESS", value)
    keys.ssm.delete_parameter(Name=stack.name)
    assert stack.ask("delete")["Status"] == "SUCCESS"


def test_a_key_of_ones_own_encrypts_the_parameter(stack: Stack, keys: Keys) -> None:
    """KmsKeyId is what SSM is given."""
    properties = {"ApiKeyId": keys.make()[0], "ParameterName": stack.name, "KmsKeyId": "alias/own"}
    assert stack.ask("create", **properties)["Status"] == "SUCCESS"
    filters = [{"Key": "Name", "Option": "Equals", "Values": [stack.name]}]
    (found,) = keys.ssm.describe_parameters(ParameterFilters=filters)["Parameters"]
    assert found["KeyId"] == "alias/own"


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"ParameterName": "/partners-x/key"}, "ApiKeyId is missing"),
        ({"ApiKeyId": "", "ParameterName": "/partners-x/key"}, "ApiKeyId is missing"),
        ({"ApiKeyId": ["a"], "ParameterName": "/partners-x/key"}, "ApiKeyId is missing"),
        ({"ApiKeyId": "a1b2c3"}, "ParameterName is not the name"),
        ({"ApiKeyId": "a1b2c3", "ParameterName": "a b"}, "ParameterName is not the name"),
        ({"ApiKeyId": "a1b2c3", "ParameterName": "/" + "x" * 2000}, "ParameterName is not"),
        ({"ApiKeyId": "unknown", "ParameterName": "/partners-x/key"}, "NotFoundException"),
    ],
)
def test_a_creation_that_cannot_be_is_answered_and_its_deletion_harmless(
    stack: Stack, properties: dict[str, Any], reason: str
) -> None:
    """FAILED with what is wrong; then the rollback's deletion succeeds."""
    told = stack.ask("create", **properties)
    assert told["Status"] == "FAILED"
    assert reason in told["Reason"]
    assert told["PhysicalResourceId"]
    stack.physical_id = told["PhysicalResourceId"]
    assert stack.ask("delete", **properties)["Status"] == "SUCCESS"


@pytest.mark.parametrize("kind", [None, "", "Read", 7, ["Create"]])
def test_an_unknown_request_is_answered_as_failed(stack: Stack, server: Any, kind: object) -> None:
    """CloudFormation does not wait in vain for what nobody knows."""
    event = {"RequestType": kind, "ResponseURL": server.url, "RequestId": "r"}
    handle(event, stack.client, lambda: 60)
    assert server.told[-1].json["Status"] == "FAILED"
    assert "RequestType" in server.told[-1].json["Reason"]


def test_a_missing_grant_is_named(stack: Stack, keys: Keys) -> None:
    """The call and AWS's code, for whoever reads the stack's events; a deletion says so too."""
    stack.name = "/elsewhere/api-key"
    stack.seconds = 27
    told = stack.create(keys.make()[0])
    assert told["Status"] == "FAILED"
    assert told["Reason"] == "ssm:PutParameter failed: AccessDeniedException"
    assert stack.ask("delete")["Reason"] == "ssm:ListTagsForResource failed: AccessDeniedException"


def test_a_grant_that_is_not_known_yet_is_waited_for(
    stack: Stack, keys: Keys, account_port: int
) -> None:
    """The stack gives the role its rights a moment before it asks for the value to be stored."""
    iam = client_at(account_port, "iam")
    with role(account_port, GRANTS[:1]) as client:
        stack.client = client
        name = client("sts").get_caller_identity()["Arn"].split("/")[1]
        late = Timer(
            1.5,
            iam.put_role_policy,
            kwargs={"RoleName": name, "PolicyName": "Late", "PolicyDocument": policy(*GRANTS)},
        )
        late.start()
        api_key, value = keys.make()
        assert stack.create(api_key)["Status"] == "SUCCESS"
        late.join()
        iam.delete_role_policy(RoleName=name, PolicyName="Late")
    assert keys.value(stack.name) == value


def test_an_account_that_does_not_answer_is_named(server: ResponseServer, event: Any) -> None:
    """A failure to connect is answered like any other."""
    create = event("key_store/create") | {"ResponseURL": server.url}
    handle(create, lambda service: client_at(9, service), lambda: 60)
    reason = server.told[-1].json["Reason"]
    assert reason == "apigateway:GetApiKey failed: EndpointConnectionError"


class Losing:
    """Clients that fail with a message which holds what they were given, as some of AWS's do."""

    def __init__(self, real: Callable[[str], Any], error: type[Exception]) -> None:
        self._real, self._error = real, error

    def __call__(self, service: str) -> Any:
        return self._real(service) if service == "apigateway" else self

    def put_parameter(self, **parameter: Any) -> Any:
        raise self._error(f"Value '{parameter['Value']}' failed to satisfy constraint")


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, KeyError])
def test_any_failure_is_answered_without_the_value(
    stack: Stack, keys: Keys, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    """Its kind alone stands in the reason and in the log."""
    caplog.set_level(logging.DEBUG, logger="key_store")
    api_key, value = keys.make()
    stack.client = Losing(stack.client, error)
    told = stack.create(api_key)
    assert (told["Status"], told["Reason"]) == ("FAILED", f"an unexpected {error.__name__}")
    assert value not in caplog.text


def test_a_request_that_takes_too_long_is_answered_in_time(stack: Stack, keys: Keys) -> None:
    """No call begins that could outlast the function; the time for the answer is kept."""
    stack.seconds = answer.SECONDS + CALL_SECONDS - 0.1
    told = stack.create(keys.make()[0])
    assert told["Status"] == "FAILED"
    assert told["Reason"] == "no time was left for apigateway:GetApiKey"
    assert keys.value(stack.name) is None


def test_without_boto3_cloudformation_is_answered(server: ResponseServer, event: Any) -> None:
    """In an interpreter that has no packages at all."""
    create = event("key_store/create") | {"ResponseURL": server.url}
    run = (
        "import json, sys; from types import SimpleNamespace;"
        f"sys.path.insert(0, {str(ROOT / 'functions' / 'key_store')!r});"
        "from key_store.handler import lambda_handler;"
        "context = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000);"
        "lambda_handler(json.load(sys.stdin), context)"
    )
    subprocess.run(
        [sys.executable, "-I", "-S", "-c", run],
        input=json.dumps(create),
        text=True,
        check=True,
        timeout=30,
    )
    assert server.told[-1].json["Reason"] == "an unexpected ModuleNotFoundError"


@pytest.mark.parametrize("event", [None, [], {}, {"RequestType": "Create"}, {"ResponseURL": ""}])
def test_what_cloudformation_did_not_send_is_an_error(event: object, context: Any) -> None:
    """There is nobody to answer, so Lambda is told."""
    with pytest.raises(InvalidEventError):
        lambda_handler(event, context)


def test_the_answer_is_put_as_the_presigned_address_wants_it(stack: Stack, keys: Keys) -> None:
    """With an empty content type: any other is not what was signed."""
    stack.create(keys.make()[0])
    told = stack.server.told[-1]
    assert told.headers["Content-Type"] == ""
    assert told.path == "/bucket/key?X-Amz-Signature=5ec2e7516"
    assert len(told.body) <= answer.LARGEST


@pytest.mark.parametrize("trouble", [[500], [503, "reset"], ["reset", "reset", 429]])
def test_an_answer_that_is_not_taken_is_sent_again(
    stack: Stack, keys: Keys, trouble: list[int | str]
) -> None:
    """The same answer, up to four times."""
    stack.server.behaviour.script[:] = trouble
    create = {"ApiKeyId": keys.make()[0], "ParameterName": stack.name}
    event = {
        "RequestType": "Create",
        "RequestId": "r",
        "StackId": stack.stack_id,
        "LogicalResourceId": "PartnerKeyValue",
        "ResponseURL": stack.server.url,
        "ResourceProperties": create,
    }
    handle(event, stack.client, lambda: 60)
    assert len(stack.server.told) == len(trouble) + 1
    assert len({told.body for told in stack.server.told}) == 1


@pytest.mark.parametrize(("script", "attempts"), [([503] * 9, 4), ([403] * 9, 1)])
def test_an_answer_that_cannot_be_given_is_an_error_without_the_address(
    server: ResponseServer, script: list[int | str], attempts: int, caplog: Any
) -> None:
    """Lambda then brings the request again; the address, a secret, is in no line."""
    server.behaviour.script[:] = script
    event = {"RequestType": "Read", "ResponseURL": server.url}
    with pytest.raises(AnswerLostError, match=f"HTTP status {script[0]}") as raised:
        handle(event, client_at, lambda: 60)  # type: ignore[arg-type]
    assert len(server.told) == attempts
    assert raised.value.__cause__ is None
    assert "5ec2e7516" not in f"{raised.value}{caplog.text}"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "nonsense", "http://"])
def test_an_address_that_is_none_is_no_crash(url: str) -> None:
    """It is the error that a lost answer is."""
    with pytest.raises(AnswerLostError):
        handle({"RequestType": "Read", "ResponseURL": url}, client_at, lambda: 60)  # type: ignore[arg-type]


@pytest.mark.parametrize("letter", ["x", "é", '"', "\U0001f600"])
def test_a_long_reason_is_cut_to_what_cloudformation_reads(letter: str) -> None:
    """4096 bytes of valid JSON, whatever the reason is made of."""
    request = Request.read({"StackId": STACK, "RequestId": "r", "LogicalResourceId": "L"})
    told = answer.compose(request, "FAILED", "/partners/key", reason=letter * 9000)
    assert answer.LARGEST - 300 < len(told) <= answer.LARGEST
    assert set(json.loads(told)["Reason"]) == {letter}


def test_no_line_and_no_answer_holds_the_value(
    account_port: int, keys: Keys, server: ResponseServer, event: Any
) -> None:
    """Not of the whole life of a resource, in a process of its own with all of its logging."""
    api_key, value = keys.make()
    name = f"/partners-{uuid.uuid4().hex[:8]}/api-key"
    events = []
    for sample in ("create", "update-key", "delete", "create-without-name"):
        asked = event(f"key_store/{sample}") | {"ResponseURL": server.url}
        asked["ResourceProperties"] |= {"ApiKeyId": api_key}
        if "ParameterName" in asked["ResourceProperties"]:
            asked["ResourceProperties"]["ParameterName"] = name
        if "PhysicalResourceId" in asked:
            asked["PhysicalResourceId"] = name
        events.append(asked)
    run = (
        "import json, logging, sys; from types import SimpleNamespace;"
        f"sys.path[:0] = {sys.path!r}; logging.basicConfig(level=logging.DEBUG);"
        "from key_store.handler import lambda_handler;"
        "context = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000);"
        "[lambda_handler(event, context) for event in json.load(sys.stdin)]"
    )
    ran = subprocess.run(
        [sys.executable, "-c", run],
        input=json.dumps(events),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{account_port}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        },
    )
    assert [told.json["Status"] for told in server.told] == ["SUCCESS"] * 3 + ["FAILED"]
    said = ran.stdout + ran.stderr + "".join(told.body.decode() for told in server.told)
    assert "Create of PartnerKeyValue done" in said
    assert value not in said
    assert "5ec2e7516" not in said
