"""Every line that the functions log, in processes of their own, scanned for what must not be."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.load import load
from tests.functions.conftest import ROOT

if TYPE_CHECKING:
    from insurance.table import Table

EVENTS = {
    function: sorted(path.stem for path in (ROOT / "events" / function).glob("*.json"))
    for function in ("claims", "members", "notifier", "claim_types")
}
SECRETS = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDSECRET/x, Signature=5ec2e7516",
    "X-Amz-Security-Token": "T0KENSECRET",
    "Cookie": "session=C00KIESECRET",
}
FORBIDDEN = (
    *("SECRET", "5ec2e7516", "Ada", "Lovelace", "ada@example.com", "A filling", "check-up"),
    *("POL-2025-001", "12050", "memberName", "policyId", "2025-03-12", "Bearer", "Authorization"),
    # What the idempotent sample has for a key.
    "0f9a3d0e-6a52-4c0b-a3f2-6e7f3f0a9b11",
)

RUN = """
import importlib, json, sys
from types import SimpleNamespace
given = json.load(sys.stdin)
context = SimpleNamespace(
    function_name="function", memory_limit_in_mb=256, invoked_function_arn="arn",
    aws_request_id="8d1c7d9e", get_remaining_time_in_millis=lambda: 9000,
)
handler = importlib.import_module(given["function"] + ".handler").lambda_handler
for event in given["events"]:
    try:
        handler(event, context)
    except Exception as error:
        # As Lambda's runtime client logs it.
        import traceback
        traceback.print_exception(error)
"""


def lines(function: str, port: int, table: str, undelivered: str) -> str:
    """All that a function writes while it deals with its sample events."""
    events: list[Any] = []
    for name in EVENTS[function]:
        path = ROOT / "events" / function / f"{name}.json"
        event = json.loads(path.read_text("utf-8"))
        if "headers" in event:
            event["headers"] |= SECRETS
            event["multiValueHeaders"] |= {key: [value] for key, value in SECRETS.items()}
        events.append(event)
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{RUN}"],
        input=json.dumps({"function": function, "events": events}),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "TABLE_NAME": table,
            "UNDELIVERED_TABLE_NAME": undelivered,
            "SET_ASIDE_AFTER_SECONDS": "36000",
            "CLAIMS_API_URL": "http://127.0.0.1:9/dev",
            "POWERTOOLS_DEV": "false",
        },
    )
    return ran.stdout + ran.stderr


@pytest.mark.parametrize("function", sorted(EVENTS))
@pytest.mark.parametrize("trouble", ["none", "no table"])
def test_no_line_tells_of_a_person_a_body_or_a_secret(
    table: Table, new_table: Any, account_port: int, function: str, trouble: str
) -> None:
    """Neither when all goes well nor when it does not."""
    undelivered = new_table("UndeliveredTable").name if trouble == "none" else "no-such-table"
    if function == "notifier" and trouble == "none":
        trouble = "no members service"
    name = table.name if trouble == "none" else "no-such-table"
    said = lines(function, account_port, name, undelivered)
    for word in FORBIDDEN:
        assert word not in said, next(line for line in said.splitlines() if word in line)
    if function in ("claims", "members") and trouble == "none":
        logged = [json.loads(line) for line in said.splitlines()]
        correlated = {"5f1d0c52-7a6e-4d0e-8b55-2f9f0c1d7e11"}
        assert {line["correlation_id"] for line in logged} <= correlated
        assert logged or function == "members"


def test_the_templates_count_what_is_set_aside(new_table: Any, account_port: int) -> None:
    """One line of the log for each change, as the metric filter looks for it."""
    undelivered = new_table("UndeliveredTable")
    said = lines("notifier", account_port, "no-such-table", undelivered.name)
    logged = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    aside = undelivered.client.scan(TableName=undelivered.name)["Items"]
    operation = load(ROOT / "stacks" / "operation.yaml")["Resources"]
    pattern = operation["SetAsideFilter"]["Properties"]["FilterPattern"]
    wanted = re.fullmatch(r'\{ \$\.message = "(.*)" \}', pattern)
    assert wanted is not None
    counted = {line["change_id"] for line in logged if line["message"] == wanted[1]}
    assert {item["position"]["S"].split("/")[2] for item in aside} == counted != set()
