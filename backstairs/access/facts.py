"""What no template and no account says of a call, stated by somebody who knows.

Source for the keys: IAM User Guide, "AWS global condition context keys".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backstairs.access.lacks import Lack

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT_AT_ENDPOINT = Lack.of(
    "an account as Principal of an endpoint's policy stands for all its identities"
)
"""AWS says so of other resource policies (`rules.ACCOUNT_DELEGATION`), not of an endpoint's."""


@dataclass(frozen=True, slots=True)
class Organization:
    """The organisation of an account: `o-a1b2c3d4e5`, and the account's path in it.

    `org_id` None: the account is in none. `path` None: not known (`o-a1b2c3d4e5/r-ab12/ou-.../`).
    """

    org_id: str | None
    path: str | None = None

    @property
    def paths(self) -> tuple[str, ...] | None:
        """The values of a key of paths."""
        if self.org_id is None:
            return ()
        return None if self.path is None else (self.path,)


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about calls; none of them overrides what is known of a call by itself.

    `organizations` by account. `keys`: any condition key with its values in every call, in any
    case; no values: it is certainly absent. `holds`: what is known of a `Lack` of a decision.
    """

    organizations: Mapping[str, Organization] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    holds: Mapping[Lack, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lower = {name.lower(): values for name, values in self.keys.items()}
        object.__setattr__(self, "keys", lower)

    def key(self, name: str, caller: str | None, owner: str) -> tuple[str, ...] | None:
        """The values of a condition key, its name in lower case.

        `caller` is the account of who calls, `owner` that of the API.
        """
        of, _, what = name.partition("org")
        account = {"aws:principal": caller, "aws:resource": owner}.get(of)
        organization = self.organizations.get(account) if account else None
        if organization is not None and what == "id":
            return (organization.org_id,) if organization.org_id else ()
        if organization is not None and what == "paths":
            return organization.paths
        return self.keys.get(name)


NO_FACTS = Facts()


def parse_facts(document: object) -> Facts:
    """Read facts as they are written in a file.

        organizations:
          "123456789012": {id: o-a1b2c3d4e5, path: o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/}
          "210987654321": none
        keys:
          aws:MultiFactorAuthPresent: "true"
          aws:Referer: []
        accounts-at-endpoints: true

    `none`: an account of no organisation; `[]`: a key that no call has. Raises ValueError for what
    it does not understand.
    """
    facts = _mapping(document, "facts are a mapping of organizations, keys, accounts-at-endpoints")
    unknown = facts.keys() - {"organizations", "keys", "accounts-at-endpoints"}
    if unknown:
        names = ", ".join(sorted(map(str, unknown)))
        raise ValueError(f"{names}: facts are organizations, keys, accounts-at-endpoints")
    holds = {}
    said = facts.get("accounts-at-endpoints")
    if said is not None:
        if not isinstance(said, bool):
            raise ValueError(f"accounts-at-endpoints is true or false, not {said}")
        holds[ACCOUNT_AT_ENDPOINT] = said
    organizations = dict(_organizations(facts.get("organizations", {})))
    return Facts(organizations, dict(_keys(facts.get("keys", {}))), holds)


def _mapping(document: object, otherwise: str) -> Mapping[object, object]:
    if isinstance(document, Mapping):
        return document
    raise ValueError(otherwise)


def _organizations(document: object) -> Iterator[tuple[str, Organization]]:
    for account, said in _mapping(document, "organizations is a mapping of accounts").items():
        if said == "none":
            yield str(account), Organization(None)
        elif isinstance(said, Mapping) and said.keys() <= {"id", "path"} and said.get("id"):
            path = said.get("path")
            yield str(account), Organization(str(said["id"]), None if path is None else str(path))
        else:
            raise ValueError(f"the organization of {account} is none, or an id and a path")


def _keys(document: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    for key, said in _mapping(document, "keys is a mapping of condition keys").items():
        values = said if isinstance(said, list | tuple) else [said]
        if not all(isinstance(value, str | int | bool) for value in values):
            raise ValueError(f"the values of {key} are texts")
        yield (
            str(key),
            tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in values),
        )
