"""The rules of `benchmarks.access.reference`, over plain JSON, from AWS's documents alone.

Written by somebody who had not read `backstairs.access`. Sources, all AWS's: API Gateway Developer
Guide, "How API Gateway resource policies affect authorization workflow", "Use VPC endpoint policies
for private APIs" and "AWS condition keys that can be used in API Gateway resource policies"; IAM
User Guide, "Policy evaluation logic", "Condition operators", "Principal", "Resource", "Variables
and tags".
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from benchmarks.access.reference_worlds import ACCOUNT, API_ARN, STAGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.access.reference_worlds import Document, Request, Role, World

ALLOWED, REFUSED, UNKNOWN = "allowed", "refused", "unknown"
VARIABLE = re.compile(r"\$\{([^},]+)(?:,\s*'([^']*)')?\}")
ACTION = "execute-api:Invoke"
# What `aws:SourceIp` may be where it is not certain: in some range of the worlds, or in none.
ADDRESSES = (None, "203.0.113.9", "198.51.100.4", "192.0.2.1")


@dataclass(frozen=True)
class Reading:
    """One way to read AWS's documents, where they leave two.

    A variable without a value "might cause the entire statement to be invalid": it is, where
    `voids`, and otherwise only the value that it stands in matches nothing. And `aws:SourceIp` of
    a call through an endpoint: IAM's guide says that there is none, API Gateway's table of keys
    has it for all calls; `address` is then its value.
    """

    voids: bool = False
    address: str | None = None


@dataclass(frozen=True)
class Asked:
    """What statements are matched with; `keys` are those present, in lower case."""

    role: Role | None
    resource: str
    keys: dict[str, str]
    reading: Reading


@dataclass(frozen=True)
class Said:
    """What some policies say together; `delegates`: an Allow, but for an account as a whole."""

    denies: bool = False
    allows: bool = False
    delegates: bool = False


def said(documents: Iterable[Document], asked: Asked) -> Said:
    """Any policy of one type may allow, and any may deny."""
    denies = allows = delegates = False
    for document in documents:
        has_variables = document.get("Version") == "2012-10-17"
        for statement in _listed(document["Statement"]):
            named = _named(statement.get("Principal"), asked.role)
            if named is None or not _applies(statement, asked, has_variables=has_variables):
                continue
            is_deny = statement["Effect"] == "Deny"
            denies |= is_deny
            allows |= not is_deny and named == "itself"
            delegates |= not is_deny and named == "account"
    return Said(denies, allows, delegates)


def _named(principal: Any, role: Role | None) -> str | None:
    """How a statement names the caller: "itself", its "account", or not at all."""
    names = _listed(principal["AWS"]) if isinstance(principal, dict) else ["*"]
    if "*" in names or (role and role.arn in names):
        return "itself"
    accounts = {role.account, f"arn:aws:iam::{role.account}:root"} if role else set()
    return "account" if accounts & set(names) else None


def _applies(statement: Document, asked: Asked, *, has_variables: bool) -> bool:
    if has_variables and asked.reading.voids and _is_void(json.dumps(statement), asked):
        return False

    def matches(element: str) -> bool:
        return any(
            _is_resource(pattern, asked.resource)
            for each in _listed(statement[element])
            if (pattern := _filled(each, asked, has_variables)) is not None
        )

    def acts(element: str) -> bool:
        return any(_glob(each.lower(), ACTION.lower()) for each in _listed(statement[element]))

    return (
        (acts("Action") if "Action" in statement else not acts("NotAction"))
        and (matches("Resource") if "Resource" in statement else not matches("NotResource"))
        and all(
            _holds(operator, key, _listed(values), asked, has_variables)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _is_void(text: str, asked: Asked) -> bool:
    names = VARIABLE.findall(text)
    return any(not default and name.lower() not in asked.keys for name, default in names)


def _filled(text: str, asked: Asked, has_variables: bool) -> str | None:  # noqa: FBT001
    """`text` with its variables' values; None where one has none."""
    if not has_variables:
        return text
    filled = text
    for match in VARIABLE.finditer(text):
        value = asked.keys.get(match[1].lower(), match[2])
        if value is None:
            return None
        filled = filled.replace(match[0], value)
    return filled


def _is_resource(pattern: str, resource: str) -> bool:
    """Whether a Resource names the ARN; API Gateway expands the short form when it saves one."""
    if pattern.startswith("execute-api:/"):
        pattern = API_ARN + pattern.removeprefix("execute-api:")
    return pattern == "*" or _is_arn(pattern, resource)


def _is_arn(pattern: str, arn: str) -> bool:
    """Each of the six parts of an ARN is matched by itself."""
    wanted, parts = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(parts) and all(map(_glob, wanted, parts))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(each) or re.escape(each) for each in pattern), re.DOTALL)


def _glob(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


def _holds(
    operator: str,
    key: str,
    values: list[Any],
    asked: Asked,
    has_variables: bool,  # noqa: FBT001
) -> bool:
    """Whether a condition is true; a negated one is, too, where its key is absent."""
    value = asked.keys.get(key.lower())
    if operator == "Null":
        return (value is None) == (str(values[0]).lower() == "true")
    base = operator.removesuffix("IfExists")
    is_negated = "Not" in base
    if value is None:
        return is_negated or base != operator
    filled = [_filled(str(each), asked, has_variables) for each in values]
    matches = any(each is not None and _compares(base, each, value) for each in filled)
    return matches != is_negated


def _compares(operator: str, wanted: str, value: str) -> bool:
    match operator.replace("Not", ""):
        case "StringEquals":
            return wanted == value
        case "StringEqualsIgnoreCase" | "Bool":
            return wanted.lower() == value.lower()
        case "StringLike":
            return _glob(wanted, value)
        case "ArnLike" | "ArnEquals":
            return _is_arn(wanted, value)
        case "IpAddress":
            return ipaddress.ip_address(value) in ipaddress.ip_network(wanted)
    raise ValueError(f"{operator}: an operator that no world has")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def readings(world: World) -> list[Reading]:
    """Those that may tell two verdicts about a world apart."""
    text = json.dumps(asdict(world))
    voids = (False, True) if "${" in text else (False,)
    addresses = ADDRESSES if re.search(r"aws:SourceIp\b", text) else (None,)
    return [Reading(each, address) for each in voids for address in addresses]


def verdict(world: World, request: Request, route: int, ways: Iterable[Reading]) -> tuple[str, str]:
    """The verdict of all ways to read AWS's documents, and why it is unknown."""
    is_signed = world.routes[route][2]
    found = {_read(world, request, way, is_signed=is_signed) for way in ways}
    return found.pop() if len(found) == 1 else (UNKNOWN, "AWS's documents leave two readings")


def _read(world: World, request: Request, reading: Reading, *, is_signed: bool) -> tuple[str, str]:
    place, role = request.place, request.role
    if world.private != (place.endpoint is not None) or (world.private and world.policy is None):
        return REFUSED, ""
    asked, of_nobody = _asked(request, role, reading), _asked(request, None, reading)
    if place.policy and not _admits(said([place.policy], asked)):
        return REFUSED, ""
    if not is_signed:
        # API Gateway does not look at who signed: the caller is nobody to the API's policy.
        return _verdict(not world.policy or _admits(said([world.policy], of_nobody)))
    return _of_signed(world, role, asked) if role else (REFUSED, "")


def _admits(one: Said) -> bool:
    return one.allows and not one.denies


def _verdict(is_allowed: bool) -> tuple[str, str]:  # noqa: FBT001
    return (ALLOWED if is_allowed else REFUSED), ""


def _asked(request: Request, role: Role | None, reading: Reading) -> Asked:
    place = request.place
    keys = {"aws:SecureTransport": "true"}
    if place.endpoint and place.vpc:
        keys |= {"aws:SourceVpce": place.endpoint, "aws:SourceVpc": place.vpc}
        keys["aws:VpcSourceIp"] = place.address
    if address := reading.address if place.endpoint else place.address:
        keys["aws:SourceIp"] = address
    if role:
        keys |= {"aws:PrincipalArn": role.arn, "aws:PrincipalAccount": role.account}
        keys |= {f"aws:PrincipalTag/{name}": value for name, value in role.tags.items()}
    resource = f"{API_ARN}/{STAGE}/{request.verb}{request.path}"
    return Asked(role, resource, {name.lower(): value for name, value in keys.items()}, reading)


def _of_signed(world: World, role: Role, asked: Asked) -> tuple[str, str]:
    """A role at a route with AWS_IAM: either policy of the same account, both of two accounts."""
    api = said([world.policy] if world.policy else [], asked)
    identity = said(role.identity, asked)
    limits = [said(each, asked) for each in ([role.boundary or {}], role.session) if any(each)]
    if any(each.denies for each in (api, identity, *limits)):
        return REFUSED, ""
    is_within = all(each.allows for each in limits)
    if role.account != ACCOUNT:
        return _verdict(identity.allows and is_within and (api.allows or api.delegates))
    if (identity.allows or api.allows) and is_within:
        return ALLOWED, ""
    if api.allows:
        return UNKNOWN, "the API's policy allows, a boundary or session policy does not"
    # An Allow for the account as a whole only lets the account grant it.
    return REFUSED, ""


def routed(world: World, verb: str, path: str) -> int | None:
    """The route's place in `world.routes`, of the path first and then of the verb; None: no route.

    A literal segment goes before a parameter, a parameter before a greedy one, a verb before ANY.
    """
    found = [each for _, each, _ in world.routes if _matched(each).fullmatch(path)]
    best = min(found, key=_rank, default=None)
    if best is None:
        return None
    routes = [each[:2] for each in world.routes]
    places = [routes.index((each, best)) for each in (verb, "ANY") if (each, best) in routes]
    return places[0] if places else None


@cache
def _matched(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{[^}]+\}", "[^/]+", re.sub(r"\{[^}]+\+\}", ".+", pattern)))


def _rank(pattern: str) -> list[int]:
    return [2 * each.endswith("+}") or int(each.endswith("}")) for each in pattern.split("/")]
