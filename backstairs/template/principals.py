"""The roles and users of a template, each with every policy that it holds there.

A role or user that the template only refers to (a function's `Role` given as a parameter, a policy
attached to a role of another stack) is one of them: what else it holds is unknown.

Source: CloudFormation Template Reference, the resource types of AWS::IAM.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backstairs.access import Policy, Principal, Unresolved, parse_policy
from backstairs.template.managed_policies import managed_document
from backstairs.template.model import DeclaredPrincipal, NotRead
from backstairs.template.policies import as_document, policy_at
from backstairs.template.resources import texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.access import Source
    from backstairs.template.resources import Path, Resources

ROLE, USER, GROUP = "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"
_MANAGED = "AWS::IAM::ManagedPolicy"
_FUNCTION = "AWS::Lambda::Function"
# What attaches a policy to whom, by the property that names them.
_ATTACHED: Mapping[str, Mapping[str, str]] = {
    "AWS::IAM::Policy": {"Roles": ROLE, "Users": USER, "Groups": GROUP},
    _MANAGED: {"Roles": ROLE, "Users": USER, "Groups": GROUP},
    "AWS::IAM::RolePolicy": {"RoleName": ROLE},
    "AWS::IAM::UserPolicy": {"UserName": USER},
    "AWS::IAM::GroupPolicy": {"GroupName": GROUP},
}
_ARN = re.compile(r"arn:[^:]+:iam::(\d{12}):(role|user)/(?:.+/)?([^/]+)", re.ASCII)
_ACCOUNT = re.compile(r"arn:[^:]+:iam::(\d{12}):root|(\d{12})", re.ASCII)


def read_principals(
    resources: Resources,
) -> tuple[tuple[DeclaredPrincipal, ...], tuple[NotRead, ...]]:
    """Every role and user, and what of them was not read."""
    holders = _holders(resources)
    principals = [
        _principal(resources, holder) for holder in holders.values() if holder.kind != GROUP
    ]
    return tuple(principals), tuple(_not_read(resources))


@dataclass(slots=True)
class _Holder:
    """A role, user or group while its policies are gathered.

    `name` is that of the resource. One that stands in no template is `outside`: its name is its
    own, and its `arn` is what refers to it, where that is one.
    """

    kind: str
    name: str
    source: Source
    outside: bool = False
    arn: str | None = None
    policies: dict[object, Policy] = field(default_factory=dict)
    groups: list[_Holder] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)


class _Holders(dict[tuple[str, object], _Holder]):
    """The holders of policies, by type and name; those of no template by (None, name)."""

    def __init__(self, resources: Resources) -> None:
        super().__init__()
        self._resources = resources
        for kind in (ROLE, USER, GROUP):
            for name, _ in resources.of_type(kind):
                self[kind, name] = _Holder(kind, name, resources.source(name, ()))

    def referred_to(self, kind: str, value: str | Unresolved, source: Source) -> _Holder:
        """The holder that a name or ARN stands for; one of its own if the template has none."""
        name = self._resources.named(kind, value)
        if name is not None:
            return self[kind, name]
        found = _ARN.fullmatch(str(value))
        outside = found[3] if found else str(value)
        new = _Holder(kind, outside, source, outside=True)
        holder = self.setdefault((kind, (None, outside)), new)
        holder.arn = holder.arn or (found[0] if found else None)
        return holder


def _holders(resources: Resources) -> _Holders:
    holders = _Holders(resources)
    for kind in (ROLE, USER, GROUP):
        for name, properties in resources.of_type(kind):
            _add_own(resources, holders[kind, name], properties)
    for name, properties in resources.of_type(*_ATTACHED):
        _attach(resources, holders, name, properties)
    _join_groups(resources, holders)
    for name, properties in resources.of_type(_FUNCTION):
        for role in texts(properties.get("Role")):
            source = resources.source(name, ("Properties", "Role"))
            holders.referred_to(ROLE, role, source).functions.append(name)
    return holders


def _join_groups(resources: Resources, holders: _Holders) -> None:
    """Users into their groups, as the user says it or a resource of its own."""
    for name, properties in resources.of_type(USER):
        for number, group in enumerate(texts(properties.get("Groups"))):
            source = resources.source(name, ("Properties", "Groups", number))
            holders[USER, name].groups.append(holders.referred_to(GROUP, group, source))
    for name, properties in resources.of_type("AWS::IAM::UserToGroupAddition"):
        source = resources.source(name, ())
        for group in texts(properties.get("GroupName")):
            for user in texts(properties.get("Users")):
                member = holders.referred_to(USER, user, source)
                member.groups.append(holders.referred_to(GROUP, group, source))


def _add_own(resources: Resources, holder: _Holder, properties: Mapping[str, Any]) -> None:
    """The policies that stand in the role, user or group itself."""
    inline = properties.get("Policies") or []
    for number, one in enumerate(inline if isinstance(inline, list) else [inline]):
        path: Path = ("Properties", "Policies", number)
        given = one if isinstance(one, Mapping) else {"PolicyDocument": one}
        called = given.get("PolicyName", f"number {number + 1}")
        label = f"{holder.name}'s policy {called}"
        document = given.get("PolicyDocument")
        holder.policies["Policies", number] = policy_at(
            resources, label, holder.name, (*path, "PolicyDocument"), document
        )
    for number, arn in enumerate(texts(properties.get("ManagedPolicyArns"))):
        place: tuple[str, Path] = (holder.name, ("Properties", "ManagedPolicyArns", number))
        label, key = f"{holder.name}'s managed policy", resources.named(_MANAGED, arn) or arn
        holder.policies[key] = _managed(resources, label, arn, place)


def _attach(
    resources: Resources, holders: _Holders, name: str, properties: Mapping[str, Any]
) -> None:
    """A policy that is a resource of its own, to all that it names."""
    kind = resources.by_name[name]["Type"]
    for given, of_kind in _ATTACHED[kind].items():
        for number, value in enumerate(texts(properties.get(given))):
            source = resources.source(name, ("Properties", given, number))
            holder = holders.referred_to(of_kind, value, source)
            holder.policies[name] = (
                _declared(resources, f"{holder.name}'s managed policy {name}", name)
                if kind == _MANAGED
                else _declared(resources, f"{holder.name}'s policy {name}", name)
            )


def _managed(
    resources: Resources, label: str, arn: str | Unresolved, place: tuple[str, Path]
) -> Policy:
    """A managed policy by what refers to it: the template's, a given one, AWS's, or unknown."""
    name = resources.named(_MANAGED, arn)
    if name is not None:
        return _declared(resources, f"{label} {name}", name)
    called = f"{label} {str(arn).rpartition('/')[2]}"
    document = resources.policies.get(str(arn)) or managed_document(arn)
    if document is None:
        return Policy(called, ())
    return parse_policy(called, document, sources=[resources.source(*place)])


def _declared(resources: Resources, label: str, name: str) -> Policy:
    """The document of a resource that is a policy."""
    document = (resources.by_name[name].get("Properties") or {}).get("PolicyDocument")
    return policy_at(resources, label, name, ("Properties", "PolicyDocument"), document)


def _principal(resources: Resources, holder: _Holder) -> DeclaredPrincipal:
    properties = {} if holder.outside else resources.by_name[holder.name].get("Properties") or {}
    arn = _arn(resources, holder, properties)
    account, short = arn.split(":")[4], arn.rpartition("/")[2]
    session = _session(resources, holder)
    sts = f"arn:{resources.partition}:sts::{account}:assumed-role/{short}/{session}"
    return DeclaredPrincipal(
        name=holder.name,
        principal=Principal(
            arn=sts if holder.kind == ROLE else arn,
            principal_arn=arn,
            account=account,
            kind="AssumedRole" if holder.kind == ROLE else "User",
            policies=tuple(_policies(holder)),
            limits=tuple(_limits(resources, holder, properties)),
            tags=_tags(properties.get("Tags")),
        ),
        source=holder.source,
        trusted=tuple(_trusted(as_document(properties.get("AssumeRolePolicyDocument")))),
        functions=tuple(holder.functions),
    )


def _arn(resources: Resources, holder: _Holder, properties: Mapping[str, Any]) -> str:
    """The ARN of a role or user; where only a name is known, as if it had no path."""
    what = "role" if holder.kind == ROLE else "user"
    prefix = f"arn:{resources.partition}:iam::{resources.account}:{what}"
    if holder.outside:
        return holder.arn or f"{prefix}/{holder.name}"
    arn = resources.attribute(holder.name, "Arn")
    path, ref = properties.get("Path", "/"), resources.ref(holder.name)
    return str(arn) if _ARN.fullmatch(str(arn)) else f"{prefix}{path}{ref}"


def _session(resources: Resources, holder: _Holder) -> str:
    """A role's session: Lambda gives it the function's name."""
    name = resources.ref(holder.functions[0]) if holder.functions else "session"
    return name if isinstance(name, str) else "session"


def _policies(holder: _Holder) -> Iterator[Policy]:
    yield from holder.policies.values()
    for group in holder.groups:
        yield from group.policies.values()
    for one in (holder, *holder.groups):
        if one.outside:
            label = f"what else {one.name} holds"
            why = Unresolved(f"{one.name} is not in the template")
            yield parse_policy(label, why, sources=[one.source])


def _limits(
    resources: Resources, holder: _Holder, properties: Mapping[str, Any]
) -> Iterator[Policy]:
    for arn in texts(properties.get("PermissionsBoundary")):
        place = holder.name, ("Properties", "PermissionsBoundary")
        yield _managed(resources, f"{holder.name}'s permissions boundary", arn, place)


def _tags(value: object) -> dict[str, str | Unresolved]:
    """Tags by key; what is not known is `Unresolved`, so that no tag is taken for absent."""
    if not isinstance(value, list):
        return {} if value is None else {"": Unresolved(str(value))}
    tags: dict[str, str | Unresolved] = {}
    for one in value:
        given = one if isinstance(one, Mapping) else {"Key": Unresolved(str(one))}
        key, text = given.get("Key"), given.get("Value", "")
        if isinstance(key, Unresolved) or isinstance(text, Unresolved):
            tags[str(key)] = text if isinstance(text, Unresolved) else Unresolved(str(key))
        else:
            tags[str(key)] = str(text)
    return tags


def _trusted(document: object) -> Iterator[str]:
    """Who may assume a role, by the Allows of its trust policy, whatever their conditions."""
    if not isinstance(document, Mapping):
        yield from [] if document is None else [str(document)]
        return
    statements = document.get("Statement")
    found: dict[str, None] = {}
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, Mapping) or "NotPrincipal" in statement:
            found[str(statement)] = None
        elif statement.get("Effect") != "Deny":
            named = statement.get("Principal")
            groups = named.values() if isinstance(named, Mapping) else [named]
            found |= {_account(one): None for group in groups for one in texts(group)}
    yield from found


def _account(principal: str | Unresolved) -> str:
    """An account by its number, anybody else as named."""
    found = _ACCOUNT.fullmatch(str(principal))
    return (found[1] or found[2]) if found else str(principal)


def _not_read(resources: Resources) -> Iterator[NotRead]:
    """What makes principals, or changes them, in ways that are not modelled."""
    for name, _ in resources.of_type("AWS::SSO::PermissionSet", "AWS::RolesAnywhere::Profile"):
        kind = resources.by_name[name]["Type"]
        why = f"the roles that {kind} brings are not read"
        yield NotRead(name, why, resources.source(name, ()))
