"""AWS managed policies that SAM attaches by itself."""

from __future__ import annotations

import json
from typing import Any

from ministack.services import iam

Statement = dict[str, Any]

_TRACES: list[Statement] = [
    {
        "Effect": "Allow",
        "Action": [
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            "xray:GetSamplingStatisticSummaries",
        ],
        "Resource": ["*"],
    }
]
_READ = ["s3:GetObject", "s3:GetObjectVersion"]
_TAGGED = {"StringEquals": {"s3:ExistingObjectTag/UseWithCodeDeploy": "true"}}


def _shifts(*also: str) -> list[Statement]:
    actions = [
        "cloudwatch:DescribeAlarms",
        "lambda:UpdateAlias",
        "lambda:GetAlias",
        "lambda:GetProvisionedConcurrencyConfig",
        *also,
    ]
    return [
        {"Effect": "Allow", "Action": actions, "Resource": "*"},
        {"Effect": "Allow", "Action": _READ, "Resource": "arn:aws:s3:::*/CodeDeploy/*"},
        {"Effect": "Allow", "Action": _READ, "Resource": "*", "Condition": _TAGGED},
        {
            "Effect": "Allow",
            "Action": ["lambda:InvokeFunction"],
            "Resource": "arn:aws:lambda:*:*:function:CodeDeployHook_*",
        },
    ]


_POLICIES = {
    "AWSXrayWriteOnlyAccess": _TRACES,
    "AWSXRayDaemonWriteAccess": _TRACES,
    "service-role/AWSCodeDeployRoleForLambda": _shifts("sns:Publish"),
    "service-role/AWSCodeDeployRoleForLambdaLimited": _shifts(),
}


def know_managed_policies() -> None:
    """Know the managed policies that SAM's `Tracing` and `DeploymentPreference` attach.

    MiniStack: does not know them, so that they grant nothing.
    AWS: has them (AWS Managed Policy Reference, one page each).
    """
    for name, statements in _POLICIES.items():
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        record = iam._make_aws_managed_record(name, document)
        iam._aws_managed_policies.setdefault(record["Arn"], record)
