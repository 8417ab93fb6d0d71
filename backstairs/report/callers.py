"""Who may want to call: what the template declares, and those that it does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backstairs.access import Principal, parse_policy
from backstairs.report.named import account_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from backstairs.access import Source
    from backstairs.report.named import Named
    from backstairs.template.model import Application, DeclaredPrincipal

ANONYMOUS = "anonymous"
THIS_ACCOUNT = "anybody in this account"
OTHER_ACCOUNT = "another account"
KEY_HOLDER = "a key holder"
WITH_KEY = " with an API key"

_DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
EVERYTHING = parse_policy("a grant of everything", _DOCUMENT)
_OTHERS = ("999999999999", "888888888888")


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """One who calls; `principal` None is nobody in particular, without a signature.

    A role that one function alone runs as has that function's name, and its own as `role`.
    `functions`: all that run as it. `foreign`: of another account. `with_key`: with an API key of a
    usage plan that covers the stage. `says`: what it stands for.
    """

    name: str
    principal: Principal | None
    says: str
    source: Source | None = None
    role: str = ""
    functions: tuple[str, ...] = ()
    foreign: bool = False
    with_key: bool = False

    def is_among(self, names: Collection[str]) -> bool:
        """Whether names mean it: its own or its role's, or those of all functions that run as it.

        Of two functions with one role, the name of one does not speak for the other; another
        account is any other.
        """
        key = WITH_KEY if self.with_key else ""
        functions = {name + key for name in self.functions}
        return (
            self.name in names
            or bool(self.role and self.role + key in names)
            or (self.foreign and OTHER_ACCOUNT + key in names)
            or bool(functions and functions <= set(names))
        )

    @property
    def keyed(self) -> Caller:
        """The same with an API key."""
        name = KEY_HOLDER if self.principal is None else self.name + WITH_KEY
        says = f"{self.says}; it sends an API key that its usage plan lets in"
        return replace(self, name=name, says=says, with_key=True)


def callers(
    application: Application, named: Named, more: Mapping[str, Principal]
) -> tuple[Caller, ...]:
    """Everybody to ask about; `more` are principals by name that the template does not declare."""
    account = application.account
    found = [_declared(one) for one in application.principals]
    found += [Caller(name, one, "given with --principal") for name, one in more.items()]
    known = {one.principal.principal_arn for one in found if one.principal}
    for arn in sorted(named.identities - known):
        if account_of(arn) == account:
            says = "a principal that a policy names; what is granted to it is not declared here"
            found.append(Caller(arn, _identity(arn, granted=False), says))
        else:
            says = "a principal of another account that a policy names; its account allows it all"
            found.append(Caller(arn, _identity(arn, granted=True), says))
    for other in sorted(named.accounts - {account}):
        says = "an account that a policy names; it allows its principals everything"
        found.append(Caller(f"account {other}", _anybody(other, granted=True), says))
    stranger = next(one for one in _OTHERS if one not in {account, *named.accounts})
    everybody = (
        *found,
        Caller(
            THIS_ACCOUNT,
            _anybody(account, granted=False),
            "a principal of this account to whom nothing is granted",
        ),
        Caller(
            OTHER_ACCOUNT,
            _anybody(stranger, granted=True),
            "a principal of an account that nobody names; it allows its principals everything",
        ),
        Caller(ANONYMOUS, None, "whoever sends no signature"),
    )
    return tuple(
        replace(one, foreign=one.principal is not None and one.principal.account != account)
        for one in everybody
    )


def granted(account: str, documents: Iterable[tuple[str, object]], name: str) -> Principal:
    """A role of an account with policies of its own, by their names."""
    policies = tuple(parse_policy(called, document) for called, document in documents)
    return replace(_role(account, name), policies=policies)


def _declared(one: DeclaredPrincipal) -> Caller:
    if len(one.functions) == 1:
        says = f"{one.name}, the role that {one.functions[0]} runs as"
        return Caller(one.functions[0], one.principal, says, one.source, one.name, one.functions)
    says = f"runs {', '.join(one.functions)}" if one.functions else "declared in the template"
    return Caller(one.name, one.principal, says, one.source, one.name, one.functions)


def _anybody(account: str, *, granted: bool) -> Principal:
    return replace(_role(account, "anybody"), policies=(EVERYTHING,) if granted else ())


def _role(account: str, name: str) -> Principal:
    arn = f"arn:aws:iam::{account}:role/{name}"
    session = f"arn:aws:sts::{account}:assumed-role/{name}/session"
    return Principal(session, arn, account, "AssumedRole")


def _identity(arn: str, *, granted: bool) -> Principal:
    """The principal of an ARN as a policy has it: of a role, a session of it, or a user."""
    account, name = account_of(arn), arn.partition("/")[2]
    policies = (EVERYTHING,) if granted else ()
    if ":assumed-role/" in arn:
        role = arn.replace(":sts:", ":iam:").replace("assumed-role/", "role/").rpartition("/")[0]
        return Principal(arn, role, account, "AssumedRole", policies=policies)
    if ":role/" in arn:
        role_name = name.rpartition("/")[2]
        session = f"arn:aws:sts::{account}:assumed-role/{role_name}/session"
        return Principal(session, arn, account, "AssumedRole", policies=policies)
    kind = "Account" if arn.endswith(":root") else "User"
    return Principal(arn, arn, account, kind, policies=policies)
