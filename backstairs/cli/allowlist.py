"""Turn GitHub's published address ranges into the value of the allowlist's parameter.

curl -s https://api.github.com/meta | backstairs allowlist --parameter WebhookAllowlist
"""

from __future__ import annotations

import ipaddress
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from backstairs.cli.project import ProblemError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Nobody owns more in one piece; who publishes more is mistaken, or somebody else.
_WIDEST = {4: 8, 6: 16}
# What a range may not reach into, beyond what is_global says of the range as a whole: IANA's
# special-purpose address registries.
_LOCAL = [
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3"),
    )
]
_UNICAST = ipaddress.IPv6Network("2000::/3")
# "AWS CloudFormation quotas": the value of a parameter.
_LONGEST = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "file", nargs="?", default="-", help="the published JSON (default: standard input)"
    )
    parser.add_argument("--key", default="hooks", help="which list of it (default: hooks)")
    parser.add_argument("--parameter", help="print NAME=value, as sam deploy's overrides want it")


def run(options: argparse.Namespace) -> int:
    """Print the ranges, separated by commas."""
    value = ",".join(str(network) for network in ranges(_read(options.file), options.key))
    if len(value) > _LONGEST:
        raise ProblemError(
            f'"{options.key}" is too long for a parameter: {len(value)} characters, {_LONGEST} fit'
        )
    print(f"{options.parameter}={value}" if options.parameter else value)
    return 0


def ranges(published: object, key: str) -> list[Network]:
    """The ranges under a key: checked, joined where they touch, IPv4 first. Raises ProblemError."""
    if not isinstance(published, dict):
        raise ProblemError("the published ranges must be a JSON object")
    listed = published.get(key)
    if not isinstance(listed, list):
        found = ", ".join(sorted(name for name, value in published.items() if value)) or "nothing"
        raise ProblemError(f'there is no list "{key}": there is {found}')
    if not listed:
        raise ProblemError(f'"{key}" is empty: nobody would get in')
    networks = [_network(text) for text in listed]
    joined = [
        *_joined(network for network in networks if network.version == 4),  # noqa: PLR2004 - IPv4
        *_joined(network for network in networks if network.version == 6),  # noqa: PLR2004 - IPv6
    ]
    for network in joined:
        _check_width(network)
    return joined


def _joined(networks: Iterable[Network]) -> Iterable[Network]:
    return ipaddress.collapse_addresses(networks)  # type: ignore[type-var]


def _network(text: object) -> Network:
    try:
        if not isinstance(text, str):
            raise ProblemError(f"not a range of addresses: {json.dumps(text)}")
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ProblemError(f"not a range of addresses: {error}") from error
    _check_width(network)
    if not _is_public(network):
        raise ProblemError(f"{network} is not on the internet: GitHub never calls from there")
    return network


def _check_width(network: Network) -> None:
    widest = _WIDEST[network.version]
    if network.prefixlen < widest:
        raise ProblemError(f"{network} is wider than /{widest}: it would let in strangers")


def _is_public(network: Network) -> bool:
    if isinstance(network, ipaddress.IPv6Network):
        return network.is_global and network.subnet_of(_UNICAST)
    return network.is_global and not any(network.overlaps(local) for local in _LOCAL)


def _read(file: str) -> object:
    where = "standard input" if file == "-" else file
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        published: object = json.loads(data)
    except OSError as error:
        raise ProblemError(f"{where}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ProblemError(f"{where} is not JSON: {error}") from error
    return published
