"""A decision's time against the independent evaluator's, on the same calls in the same run."""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

from backstairs.access import Call, Verdict, decide
from benchmarks.access.inputs import own
from benchmarks.access.simulator import simulator
from benchmarks.access.worker import calls_of

Json = dict[str, Any]

LIMIT = 60
ROUNDS, TURNS = 40, 7


def measure() -> bool:
    """Print both times and their ratio, and whether the two say the same."""
    world = own()
    asked = [
        (call, _simulation(call, given, world))
        for call, given in zip(calls_of(world), world["calls"], strict=True)
        if call.caller and call.api and call.api.private and call.origin.endpoint
    ]
    turns = []
    with simulator() as evaluator:
        for _ in range(TURNS):
            results, theirs = evaluator.run([simulation for _, simulation in asked])
            turns.append((_seconds([call for call, _ in asked]), theirs / len(asked)))
    apart = [
        call
        for (call, _), result in zip(asked, results, strict=True)
        if (decide(call).verdict is Verdict.ALLOWED) is not (result == "Allowed")
    ]
    ratios = sorted(theirs / ours for ours, theirs in turns)
    ours, theirs = (statistics.median(turn[side] for turn in turns) for side in (0, 1))
    middle = statistics.median(ratios)
    print(
        f"evaluator: {ours * 1e6:.0f} us a decision, iam-simulate {theirs * 1e6:,.0f} us: "
        f"{middle:.0f} times as fast ({ratios[0]:.0f} to {ratios[-1]:.0f}; limit {LIMIT}), "
        f"{len(asked)} calls, {len(apart)} decided otherwise"
    )
    return middle >= LIMIT and not apart


def _seconds(calls: list[Call]) -> float:
    started = time.process_time()
    for _ in range(ROUNDS):
        for call in calls:
            decide(call)
    return (time.process_time() - started) / len(calls) / ROUNDS


def _simulation(call: Call, given: list[Any], world: Json) -> Json:
    """The same call for the evaluator; a star for an API's id it takes for none, so it has one."""
    origin, api, _, who, _ = given
    if call.api is None or call.caller is None:
        raise ValueError("only signed calls of an API can be simulated")
    arn = call.api.arn
    full = json.dumps(world["apis"][api]["policy"]).replace('"execute-api:/', f'"{arn}/')
    prefix = arn.rpartition(":")[0]
    grants = json.dumps(world["principals"][who]["policies"]).replace(f"{prefix}:*/", f"{arn}/")
    simulation: Json = {
        "request": {
            "principal": call.caller.arn,
            "action": "execute-api:Invoke",
            "resource": {
                "resource": f"{arn}/{call.api.stage}/{call.method}{call.path}",
                "accountId": call.api.account,
            },
            "contextVariables": {
                "aws:SourceVpce": world["origins"][origin]["endpoint"],
                "aws:SourceVpc": world["origins"][origin]["vpc"],
                "aws:VpcSourceIp": world["origins"][origin]["address"],
                "aws:PrincipalAccount": call.caller.account,
                "aws:PrincipalArn": call.caller.principal_arn,
            },
        },
        "identityPolicies": [
            {"name": f"grants {number}", "policy": one}
            for number, one in enumerate(json.loads(grants))
        ],
        "resourcePolicy": json.loads(full),
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
    }
    own_policy = world["origins"][origin]["policy"]
    if own_policy:
        endpoint = json.loads(json.dumps(own_policy).replace(f'"{prefix}:*"', f'"{arn}/*"'))
        simulation["vpcEndpointPolicies"] = [{"name": "endpoint", "policy": endpoint}]
    return simulation
