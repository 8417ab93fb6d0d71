"""A copy of the application that is deployed again and again, by the real `sam`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from backstairs.account.client import Account
from backstairs.cli.project import tool
from backstairs.local.deploy import APPLICATION, Sam, Stack, start_account
from tests.local.application import ROOT, copy_application

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.runtime.process import Children

REGION = "us-east-1"
TEMPLATE = (ROOT / "template.yaml").read_text("utf-8")
# The templates as they were before the network's stack decided where everything goes.
BEFORE = Path(__file__).parent / "before"
REGIONAL = Stack("backstairs-regional", "stacks/regional.yaml", "regional")
NETWORK = Stack("backstairs-network", "stacks/network.yaml", "default")


class Deployment:
    """A copy of the application in an emulated account of its own."""

    def __init__(self, folder: Path, children: Children) -> None:
        logs = folder / "state" / "logs"
        logs.mkdir(parents=True)
        self.root = folder / "application"
        self.root.mkdir()
        copy_application(self.root)
        uv = str(Path(tool("uv")).parent)
        self._sam = Sam(tool("sam"), [uv], self.root, logs, children)
        self.account = Account(start_account(sys.executable, children, logs.parent, REGION), REGION)

    def deploy(
        self, stack: Stack = APPLICATION, parameters: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Build and deploy what is in the folder. Raises StepError.

        A parameter that is not given keeps the value of the deployment before.
        """
        # Without quotes SAM takes an empty value for none.
        given = {name: value or '""' for name, value in parameters.items()}
        self._sam.build(stack)
        self._sam.deploy(self.account, stack, given)

    def write(self, name: str, text: str) -> None:
        """Write a file of the application."""
        (self.root / name).write_text(text, "utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in a file of the application; it must be there."""
        text = (self.root / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def go_back(self) -> None:
        """Have the templates as they were before."""
        shutil.copytree(BEFORE, self.root, dirs_exist_ok=True)

    def come_forward(self) -> None:
        """Have the templates as they are."""
        shutil.copytree(ROOT / "stacks", self.root / "stacks", dirs_exist_ok=True)
        shutil.copy(ROOT / "template.yaml", self.root)

    def policy(self, api: str = "ClaimsApi") -> list[Any]:
        """The statements of an API's policy, as its stage serves it."""
        export = self.account.client("apigateway").get_export(
            restApiId=self.account.physical_ids(APPLICATION.name)[api],
            stageName="dev",
            exportType="oas30",
            parameters={"extensions": "apigateway"},
        )
        statements: list[Any] = json.loads(export["body"].read())["x-amazon-apigateway-policy"][
            "Statement"
        ]
        return statements

    def live(self, function: str, stack: Stack = APPLICATION) -> Any:
        """What the version behind a function's alias is configured to be."""
        name = self.account.physical_ids(stack.name)[function]
        client = self.account.client("lambda")
        return client.get_function_configuration(FunctionName=name, Qualifier="live")

    def invoke(self, function: str, event: object, stack: Stack = APPLICATION) -> str:
        """What the alias answers to an event; an error's text too."""
        name = self.account.physical_ids(stack.name)[function]
        answer = self.account.client("lambda").invoke(
            FunctionName=name, Qualifier="live", Payload=json.dumps(event).encode()
        )
        text: str = answer["Payload"].read().decode()
        return text

    def delete(self, stack: Stack = APPLICATION) -> None:
        """`sam delete`."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        subprocess.run(
            [tool("sam"), "delete", "--stack-name", stack.name, "--region", REGION, "--no-prompts"],
            cwd=self.root,
            check=True,
            capture_output=True,
            env={
                **kept,
                "AWS_ENDPOINT_URL": self.account.url,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "SAM_CLI_TELEMETRY": "0",
                "NO_PROXY": "127.0.0.1",
                "no_proxy": "127.0.0.1",
            },
        )
