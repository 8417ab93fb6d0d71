"""Reading a template, all of it, beside AWS's translator alone on the same file, in one process.

    .venv/local/bin/python -m benchmarks.access.reading

Reading is: its text parsed, translated, every intrinsic resolved, every API, function, principal,
network and other way in. The translator alone: its translation, of a template parsed before.
A round measures both, in turn; the ratio is of each round.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.utils.py27hash_fix import (
    to_py27_compatible_template,
    undo_mark_unicode_str_in_template,
)
from samtranslator.yaml_helper import yaml_parse

from backstairs.template.application import REGION, read_application

ROUNDS = 7
ROOT = Path(__file__).parents[2]
HEAD = """Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.13, Handler: index.handler, Timeout: 15}}
Parameters: {Stage: {Type: String, Default: dev}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Ref Stage
      OpenApiVersion: 3.0.1
      EndpointConfiguration: {Type: PRIVATE}
      Auth:
        DefaultAuthorizer: AWS_IAM
        InvokeRole: NONE
        ResourcePolicy: {IntrinsicVpceWhitelist: [vpce-0123456789abcdef0]}
"""
FUNCTION = """  Function%(number)s:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/f%(number)s
      Environment: {Variables: {STAGE: !Ref Stage, TABLE: !Sub "${AWS::StackName}-%(number)s"}}
      Policies:
        - Statement:
            - Effect: Allow
              Action: execute-api:Invoke
              Resource: !Sub arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:*/%(number)s/*
            - Effect: Allow
              Action: [dynamodb:GetItem, dynamodb:PutItem]
              Resource: !Sub arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/t%(number)s
      Events:
        Get:
          Type: Api
          Properties: {RestApiId: !Ref Api, Method: GET, Path: "/things/%(number)s/{id}"}
"""


class Session:
    """What the translator wants of a session: its region."""

    region_name = REGION


def main() -> None:
    """Print the ratio for a generated template of 100 routes and roles, and for ours."""
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        generated = Path(folder) / "template.yaml"
        text = HEAD + "".join(FUNCTION % {"number": number} for number in range(100))
        generated.write_text(text, "utf-8")
        compare("100 routes, 100 roles", generated, [generated])
    ours = ROOT / "template.yaml"
    nested = [prefix for prefix in read_application(ours).templates if prefix]
    files = [ours, *(ROOT / "stacks" / f"{one.strip('/').lower()}.yaml" for one in nested)]
    compare(f"ours, with {len(nested)} nested", ours, files)


def compare(name: str, template: Path, files: list[Path]) -> None:
    """Read a template, and have its files translated alone."""
    ratios, ours, theirs = [], [], []
    for _ in range(ROUNDS + 1):
        documents = [parsed(path) for path in files]
        started = time.process_time()
        read_application(template)
        between = time.process_time()
        for document in documents:
            translate_alone(document)
        ended = time.process_time()
        ours.append(between - started)
        theirs.append(ended - between)
        ratios.append(ours[-1] / theirs[-1])
    # The first round loads what later ones have.
    ratios = sorted(ratios[1:])
    print(
        f"{name}: {statistics.median(ratios):.2f} x (of {ROUNDS} rounds {ratios[0]:.2f} to "
        f"{ratios[-1]:.2f}): {statistics.median(ours[1:]) * 1000:.0f} ms beside "
        f"{statistics.median(theirs[1:]) * 1000:.0f} ms of the translator alone"
    )


def parsed(path: Path) -> dict[str, Any]:
    """A template as data, packaged as the translator wants it."""
    document: dict[str, Any] = yaml_parse(path.read_text("utf-8"))
    for resource in document["Resources"].values():
        for name in ("CodeUri", "ContentUri", "Location"):
            if isinstance(resource.get("Properties", {}).get(name), str):
                resource["Properties"][name] = "s3://bucket/key"
    return document


def translate_alone(document: dict[str, Any]) -> None:
    """What AWS's own service does with a template."""
    values: dict[str, str] = {}
    to_py27_compatible_template(document, values)
    translated = Translator(None, Parser(), boto_session=Session()).translate(
        document, parameter_values=values, get_managed_policy_map=dict
    )
    undo_mark_unicode_str_in_template(translated)


if __name__ == "__main__":
    main()
