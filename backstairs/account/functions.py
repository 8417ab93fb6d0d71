"""The functions of the account with their code, and the mappings of streams to them."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from typing import TYPE_CHECKING
from urllib.request import ProxyHandler, build_opener

from backstairs.account.client import pages
from backstairs.runtime.pool import Function
from backstairs.runtime.streams import EventSource

if TYPE_CHECKING:
    from pathlib import Path

    from backstairs.account.client import Account


def functions(account: Account, stack_name: str, folder: Path) -> list[Function]:
    """The Lambda functions, their deployed code and layers unpacked below `folder`.

    A function of a stack is labelled by its logical id, any other by its name. Where two
    stacks have the same, that of `stack_name` keeps it and another's begins with its stack.
    """
    client = account.client("lambda")
    labels = _labels(account, stack_name)
    found_functions = []
    for listed in pages(client, "list_functions", "Functions"):
        found = client.get_function(FunctionName=listed["FunctionName"])
        settings = found["Configuration"]
        location = found["Code"].get("Location")  # of a container image there is none
        layers = [
            client.get_layer_version_by_arn(Arn=layer["Arn"])["Content"]["Location"]
            for layer in settings.get("Layers", [])
        ]
        found_functions.append(
            Function(
                name=settings["FunctionName"],
                label=labels.get(settings["FunctionName"], settings["FunctionName"]),
                arn=settings["FunctionArn"],
                runtime=settings.get("Runtime", ""),
                handler=settings.get("Handler", ""),
                role_arn=settings["Role"],
                timeout=settings["Timeout"],
                memory=settings["MemorySize"],
                vpc_id=settings.get("VpcConfig", {}).get("VpcId") or None,
                environment=settings.get("Environment", {}).get("Variables", {}),
                code=_unpack(location, folder) if location else folder,
                layers=tuple(_unpack(layer, folder) for layer in layers),
                log_format=settings.get("LoggingConfig", {}).get("LogFormat"),
                log_level=settings.get("LoggingConfig", {}).get("ApplicationLogLevel"),
            )
        )
    return found_functions


def event_sources(account: Account) -> list[EventSource]:
    """The mappings of DynamoDB streams to functions. Raises FilterError."""
    mappings = pages(account.client("lambda"), "list_event_source_mappings", "EventSourceMappings")
    return [EventSource.read(one) for one in mappings if ":dynamodb:" in one["EventSourceArn"]]


def _labels(account: Account, first: str) -> dict[str, str]:
    """The labels of all stacks' functions by their names, the stack `first` before others."""
    stacks = [
        stack["StackName"]
        for stack in pages(account.client("cloudformation"), "describe_stacks", "Stacks")
        if stack["StackStatus"] != "DELETE_COMPLETE"
    ]
    labels: dict[str, str] = {}
    for stack_name in sorted(stacks, key=lambda name: (name != first, name)):
        for resource in account.resources(stack_name):
            label = label_of(resource["LogicalResourceId"])
            if resource["ResourceType"] != "AWS::Lambda::Function" or not label:
                continue
            taken = label in labels.values()
            labels[resource["PhysicalResourceId"]] = f"{stack_name}-{label}" if taken else label
    return labels


def label_of(logical_id: str) -> str:
    """`ClaimTypesFunction` as people say it: `claim-types`."""
    words = re.findall(r"[A-Z][a-z0-9]*", logical_id.removesuffix("Function"))
    return "-".join(words).lower()


def _unpack(location: str, folder: Path) -> Path:
    """Unpack a deployment package once; the folder is named by what is in it."""
    with build_opener(ProxyHandler({})).open(location, timeout=30) as answer:
        package = answer.read()
    target = folder / hashlib.sha256(package).hexdigest()[:16]
    if not target.exists():
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            archive.extractall(target)
    return target
