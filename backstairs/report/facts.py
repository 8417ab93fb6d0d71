"""What a template does not say and its owner knows: a file of facts for the proof.

account: "123456789012"
region: eu-west-1
addresses: {office: 203.0.113.7}
endpoints:
vpce-0a1b2c: {vpc: vpc-0d4e5f, policy: endpoint-policy.json}
policies: {"arn:aws:iam::123456789012:policy/boundary": boundary.json}
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from backstairs.access import Endpoint, parse_facts, parse_policy

if TYPE_CHECKING:
    from pathlib import Path

    from backstairs import access


class FactsError(Exception):
    """Facts that cannot be read; the message says where and what is wrong."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known besides the template.

    `addresses` of clients on the internet, by name; `endpoints` that the template does not declare,
    by id; `policies`: documents of managed policies that it only names, by ARN; `of_calls` is what
    the decision is told.
    """

    account: str | None = None
    region: str | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    policies: Mapping[str, object] = field(default_factory=dict)
    of_calls: access.Facts | None = None


_KEYS = {"account", "region", "addresses", "endpoints", "policies"}
_OF_CALLS = {"organizations", "keys", "accounts-at-endpoints"}


def read_facts(path: Path) -> Facts:
    """Read a file of facts. Raises FactsError."""
    said = _mapping(_yaml(path), path, "the file")
    unknown = sorted(map(str, said.keys() - _KEYS - _OF_CALLS))
    if unknown:
        raise FactsError(f"{path}: {unknown[0]} is none of {', '.join(sorted(_KEYS | _OF_CALLS))}")
    try:
        of_calls = parse_facts({name: said[name] for name in _OF_CALLS & said.keys()})
    except ValueError as error:
        raise FactsError(f"{path}: {error}") from error
    addresses = _mapping(said.get("addresses", {}), path, "addresses")
    for name, address in addresses.items():
        try:
            ipaddress.ip_address(str(address))
        except ValueError as error:
            raise FactsError(f"{path}: addresses: {name}: {error}") from error
    endpoints = _mapping(said.get("endpoints", {}), path, "endpoints")
    policies = _mapping(said.get("policies", {}), path, "policies")
    return Facts(
        account=_account(said, path),
        region=_text(said, "region"),
        addresses={str(name): str(address) for name, address in addresses.items()},
        endpoints={str(name): _endpoint(str(name), body, path) for name, body in endpoints.items()},
        policies={str(arn): read_policy(path.parent / str(file)) for arn, file in policies.items()},
        of_calls=of_calls,
    )


def _endpoint(name: str, body: object, path: Path) -> Endpoint:
    said = _mapping(body, path, f"endpoints: {name}")
    if said.keys() - {"vpc", "policy"} or "vpc" not in said:
        raise FactsError(f"{path}: endpoints: {name}: says vpc, and policy where it has its own")
    policy = None
    if "policy" in said:
        file = path.parent / str(said["policy"])
        policy = parse_policy(f"{name}'s endpoint policy", read_policy(file), resource_based=True)
    return Endpoint(name, str(said["vpc"]), policy)


def read_policy(path: Path) -> object:
    """A policy document in a file of JSON or YAML. Raises FactsError."""
    document = _yaml(path)
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise FactsError(f"{path}: is no policy document: it has no Statement")
    # As CloudFormation does, which takes YAML for JSON: a date is text.
    return json.loads(json.dumps(document, default=str))


def _yaml(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FactsError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FactsError(f"{path}: is not YAML: {error}") from error


def _mapping(value: object, path: Path, what: str) -> Mapping[object, object]:
    if not isinstance(value, Mapping):
        raise FactsError(f"{path}: {what} is not a mapping")
    return value


def _account(said: Mapping[object, object], path: Path) -> str | None:
    account = _text(said, "account")
    if account is not None and not re.fullmatch(r"[0-9]{12}", account):
        raise FactsError(f"{path}: account: {account} is not twelve digits (write it in quotes)")
    return account


def _text(said: Mapping[object, object], name: str) -> str | None:
    return str(said[name]) if name in said else None
