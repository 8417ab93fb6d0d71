"""How a function's process is started: what Lambda gives it, and what the local run adds.

Source: AWS Lambda Developer Guide, "Using Lambda environment variables" (defined runtime
variables), "Working with layers for Python Lambda functions" (search path) and "Configuring JSON
and plain text log formats" (`AWS_LAMBDA_LOG_FORMAT`, `AWS_LAMBDA_LOG_LEVEL`).
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import TYPE_CHECKING

from backstairs.runtime.process import Children, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from backstairs.network.proxy import Network
    from backstairs.runtime.account import Account
    from backstairs.runtime.pool import Function, Worker

_HOST = "127.0.0.1"


class Launcher:
    """Starts workers with their function's code, layers, environment and role.

    `python` is the interpreter of an environment that holds what Lambda's own image holds:
    awslambdaric and boto3. `networks` by VPC id; None is the internet.
    """

    def __init__(
        self,
        *,
        account: Account,
        children: Children,
        python: Path,
        logs: Path,
        networks: Mapping[str | None, Network],
        certificates: Path,
    ) -> None:
        self._account = account
        self._children = children
        self._python = python
        self._logs = logs
        self._networks = networks
        self._certificates = certificates
        self._following: set[asyncio.Task[None]] = set()

    async def start(self, function: Function, worker: Worker) -> WorkerProcess:
        """Start one worker's process with fresh credentials of the function's role."""
        credentials = await asyncio.to_thread(
            self._account.assume, function.role_arn, function.name[:64]
        )
        process = self._children.start(
            [str(self._python), "-m", "awslambdaric", function.handler],
            environment={
                **self._lambda_environment(function, worker),
                **function.environment,
                "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
                "AWS_SESSION_TOKEN": credentials["SessionToken"],
                **self._local_environment(function),
            },
            output=subprocess.PIPE,
            folder=function.code,
        )
        started = WorkerProcess(process, credentials["Expiration"])
        # Opened to append: several workers of a function write to one log.
        log = (self._logs / f"{function.label}.log").open("ab")
        following = asyncio.create_task(started.follow(log))
        self._following.add(following)
        following.add_done_callback(self._following.discard)
        following.add_done_callback(lambda _: log.close())
        return started

    async def ended(self) -> None:
        """Wait until the output of every worker has been written; they must have been killed."""
        await asyncio.gather(*self._following)

    def _lambda_environment(self, function: Function, worker: Worker) -> dict[str, str]:
        # Layers are merged in their order, so a later one hides an earlier one's files.
        layers = (layer / "python" for layer in reversed(function.layers))
        search = (function.code, *layers)
        logging = {
            "AWS_LAMBDA_LOG_FORMAT": function.log_format,
            "AWS_LAMBDA_LOG_LEVEL": function.log_level,
        }
        return {
            **{name: value for name, value in logging.items() if value},
            "AWS_DEFAULT_REGION": self._account.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{worker.port}",
            "AWS_LAMBDA_RUNTIME_API": f"{_HOST}:{worker.port}",
            "AWS_REGION": self._account.region,
            "LAMBDA_TASK_ROOT": str(function.code),
            "LANG": "en_US.UTF-8",
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join(map(str, search)),
            "TZ": ":UTC",
            "_HANDLER": function.handler,
        }

    def _local_environment(self, function: Function) -> dict[str, str]:
        """What stands for AWS around the function: where its APIs are, and its network."""
        network = f"http://{_HOST}:{self._networks[function.vpc_id].port}"
        # A service's own endpoint in the network would go before the account.
        own = [name for name in function.environment if name.startswith("AWS_ENDPOINT_URL_")]
        return {
            **dict.fromkeys(own, self._account.url),
            "AWS_ENDPOINT_URL": self._account.url,
            "HTTP_PROXY": network,
            "HTTPS_PROXY": network,
            "NO_PROXY": _HOST,
            "http_proxy": network,
            "https_proxy": network,
            "no_proxy": _HOST,
            "REQUESTS_CA_BUNDLE": str(self._certificates),
            "SSL_CERT_FILE": str(self._certificates),
        }
