"""Our door, as `backstairs up` runs it, over one signed route of one made-up private API."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from subprocess import PIPE

import uvloop

from backstairs.access import Api, Authorization, Endpoint, Origin, Principal, Route, parse_policy
from backstairs.gateway.authentication import Identity
from backstairs.gateway.door import Door
from backstairs.gateway.routes import Directory
from backstairs.gateway.stage import Stage
from backstairs.http.servers import Servers
from backstairs.runtime.pool import Function, Pool, Worker
from backstairs.runtime.process import Children, WorkerProcess

ACCOUNT = "123456789012"
REGION = "us-east-1"
WORKERS = 4
KEY, SECRET = "AKIDEXAMPLE", "secret"
HERE = Path(__file__).parent
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:members"


class _OneIdentity:
    """The role that holds the grant, and its key."""

    def __init__(self) -> None:
        resource = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:*/dev/GET/members/*"
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}
        grant = parse_policy("grant", {"Statement": [statement]})
        role = f"arn:aws:iam::{ACCOUNT}:role/caller"
        principal = Principal(role, role, ACCOUNT, "AssumedRole", "AROA:caller", (grant,))
        self._identity = Identity(principal, SECRET, None, None)

    async def identity_of(self, access_key_id: str) -> Identity | None:
        return self._identity if access_key_id == KEY else None


def _api(endpoint: Endpoint) -> Api:
    denies = [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/*",
            "Condition": {"StringNotEquals": {key: value}},
        }
        for key, value in (
            ("aws:SourceVpce", endpoint.endpoint_id),
            ("aws:PrincipalAccount", ACCOUNT),
        )
    ]
    return Api(
        api_id="abcde12345",
        name="ClaimsApi",
        stage="dev",
        region=REGION,
        account=ACCOUNT,
        private=True,
        policy=parse_policy("policy", {"Statement": denies}, resource_based=True),
        routes=(Route("GET", "/members/{memberId}", Authorization.AWS_IAM, ARN),),
    )


async def serve(python: str) -> None:
    children = Children()
    following = set()

    async def start(function: Function, worker: Worker) -> WorkerProcess:
        environment = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{worker.port}",
            "_HANDLER": function.handler,
            "LAMBDA_TASK_ROOT": str(function.code),
        }
        process = children.start(
            [python, "-m", "awslambdaric", function.handler],
            environment=environment,
            output=PIPE,
            folder=function.code,
        )
        started = WorkerProcess(process, datetime.now(UTC) + timedelta(hours=1))
        following.add(asyncio.create_task(started.follow(sys.stderr.buffer)))
        return started

    servers = Servers()
    workers = [Worker(servers.add) for _ in range(WORKERS)]
    function = Function(
        name="members",
        label="members",
        arn=ARN,
        runtime="python3.13",
        handler="handler.lambda_handler",
        role_arn="",
        timeout=10,
        memory=128,
        vpc_id=None,
        environment={},
        code=HERE,
    )
    pool = Pool(function, workers, start)
    endpoint = Endpoint("vpce-0123456789abcdef0", "vpc-0123456789abcdef0")
    door = Door(Directory([Stage(_api(endpoint))]), {ARN: pool}, _OneIdentity(), REGION)
    port = servers.add(partial(door.serve, Origin("endpoint", endpoint, "10.0.0.10")))
    print(port, flush=True)
    try:
        await servers.run()
    finally:
        children.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1]))
