"""The matrix of a large template: as fast as the template is read, linear, in little memory.

    python -m benchmarks.access.matrix [ROUTES] [ROLES]

A made-up application: every function has a route, a role and a grant; the API's policy names enough
endpoints for six ways in. CPU seconds, so that a busy machine does not count; each size in a
process of its own, so that memory is its own. Exit status 1 where a limit is not kept.
"""

from __future__ import annotations

import logging
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from backstairs.report.matrix import matrix_of
from backstairs.template.application import read_application
from backstairs.template.load import load
from backstairs.template.translate import translate

ROUTES = ROLES = 100
READING, MEGABYTES, LINEAR = 2.0, 300, 1.3
"""Of the first size: times parsing and translating, and memory. Of twice it: what a cell may cost,
in times the first's."""

_HEAD = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Globals:
  Api: {OpenApiVersion: 3.0.1, EndpointConfiguration: {Type: PRIVATE, VPCEndpointIds: [vpce-0a]}}
  Function: {Runtime: python3.13, Handler: handler.handler, CodeUri: .}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      Auth:
        DefaultAuthorizer: AWS_IAM
        ResourcePolicy:
          CustomStatements:
            - Effect: Deny
              Principal: "*"
              Action: execute-api:Invoke
              Resource: execute-api:/*
              Condition: {StringNotEquals: {aws:SourceVpce: [vpce-0a, vpce-0b, vpce-0c, vpce-0d]}}
            - Effect: Deny
              Principal: "*"
              Action: execute-api:Invoke
              Resource: execute-api:/*
              Condition: {StringNotEquals: {aws:PrincipalAccount: !Ref AWS::AccountId}}
"""
_FUNCTION = """\
  Function{0}:
    Type: AWS::Serverless::Function
    Properties:
"""
_GRANT = """\
      Policies:
        - Statement:
            - Effect: Allow
              Action: execute-api:Invoke
              Resource: !Sub arn:aws:execute-api:*:${{AWS::AccountId}}:*/dev/GET/r{0}/*
"""
_ROUTE = """\
      Events:
        Get: {{Type: Api, Properties: {{RestApiId: !Ref Api, Method: GET, Path: "/r{0}/{{id}}"}}}}
"""


def template(routes: int, roles: int) -> str:
    """Functions, the first of which have routes, or roles with a grant."""
    parts = [_HEAD]
    for number in range(max(routes, roles)):
        body = (
            _FUNCTION
            if number < roles
            else _FUNCTION + "      Role: arn:aws:iam::123456789012:role/none\n"
        )
        body += _GRANT if number < roles else ""
        body += _ROUTE if number < routes else ""
        parts.append(body.format(number))
    return "".join(parts)


def measured(path: Path) -> tuple[float, float, float, int]:
    """CPU seconds of parsing and translating, of reading, of the matrix, and how many cells."""
    began = time.process_time()
    translate(load(path), {}, path.name, "us-east-1")
    translated = time.process_time()
    application = read_application(path)
    read = time.process_time()
    cells = len(matrix_of(application).cells)
    return translated - began, read - translated, time.process_time() - read, cells


def one(routes: int, roles: int) -> None:
    """Measure one size and print it, for the process that asked."""
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        small, path = Path(folder, "small.yaml"), Path(folder, "template.yaml")
        small.write_text(template(1, 1), "utf-8")
        measured(small)  # what is imported late
        path.write_text(template(routes, roles), "utf-8")
        figures = measured(path)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(*figures, memory)


def apart(routes: int, roles: int) -> tuple[float, float, float, int, int]:
    """The same in a process of its own, with its memory in megabytes."""
    command = [sys.executable, "-m", "benchmarks.access.matrix", "one", str(routes), str(roles)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    translated, read, decided = map(float, said[:3])
    return translated, read, decided, int(said[3]), int(said[4])


def main(routes: int = ROUTES, roles: int = ROLES) -> int:
    """Print the figures of the size, and of twice as many routes, and roles."""
    kept = True
    first = 0.0
    for size in ((routes, roles), (2 * routes, roles), (routes, 2 * roles)):
        translated, read, decided, cells, memory = apart(*size)
        each = decided / cells
        first = first or each
        good = each <= LINEAR * first and memory <= 2 * MEGABYTES
        if size == (routes, roles):
            good = decided <= READING * translated and memory <= MEGABYTES
        kept = kept and good
        print(
            f"{size[0]} routes, {size[1]} roles: {cells} cells in {decided:.1f} s, "
            f"{decided / translated:.2f} x parsing and translating ({translated:.1f} s; read "
            f"{read:.1f} s), {each * 1e6:.0f} us a cell, {memory} MB{'' if good else ' !'}",
            flush=True,
        )
    return 0 if kept else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        one(*map(int, sys.argv[2:]))
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
