"""Policies weighed against each other: the part of a decision that depends on who calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backstairs.access import refusals, rules
from backstairs.access.context import NOT_OF_API_POLICIES, CallKeys
from backstairs.access.facts import ACCOUNT_AT_ENDPOINT, NO_FACTS
from backstairs.access.gates import PASSED, Decision, Reason, Verdict, Who
from backstairs.access.lacks import Lack
from backstairs.access.model import Authorization
from backstairs.access.policy import Caller, Request
from backstairs.access.refusals import Denied
from backstairs.access.truth import Truth, all_of, any_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backstairs.access.model import Api, Call, Principal, Route
    from backstairs.access.policy import Match, Policy
    from backstairs.access.rules import Rule
    from backstairs.access.sigv4 import SignatureProblem

ACTION = "execute-api:Invoke"
ANONYMOUS = Caller()
_NO_RESOURCE = f"because no resource-based policy allows the {ACTION} action"
_SILENT = Lack.of("a Cognito user pool admits without an Allow by the resource policy")
_LIMITS = Lack.of("an Allow by the API's policy needs no boundary or session policy beside it")


@dataclass(slots=True)
class _Sides:
    """The statements that match, or may, and whether one Deny does, one Allow, one directly."""

    matches: list[Match]
    denied: Truth = False
    allowed: Truth = False
    directly: Truth = False
    lacks: tuple[Lack, ...] = ()

    @classmethod
    def of(cls, policies: Iterable[Policy], request: Request) -> _Sides:
        sides = cls([])
        for policy in policies:
            for match in policy.matching(request):
                sides.matches.append(match)
                if match.statement.effect == "Deny":
                    sides.denied = sides.denied or match.truth
                else:
                    sides.allowed = sides.allowed or match.truth
                    if match.direct is not False:
                        sides.directly = sides.directly or match.direct
        return sides


_NONE = _Sides([])


@dataclass(frozen=True, slots=True)
class _Role:
    """What a policy is that must allow by itself, and the rules by which it decides."""

    kind: str
    rule: Rule
    denies: Rule


_ENDPOINT = _Role("VPC endpoint", rules.ENDPOINT_POLICY_FIRST, rules.ENDPOINT_POLICY_FIRST)
_OPEN = _Role("resource-based", rules.NO_AUTHORIZATION, rules.EXPLICIT_DENY)
_AUTHORIZER = _Role("resource-based", rules.AUTHORIZER, rules.EXPLICIT_DENY)


@dataclass(slots=True)
class _CallersSide:
    """What the caller's own policies allow."""

    granted: Truth
    in_boundary: Truth
    in_session: Truth
    within: Truth = True
    allows: Truth = True

    def __post_init__(self) -> None:
        self.within = _both(self.in_boundary, self.in_session)
        self.allows = _both(self.granted, self.within)


class Weighing:
    """The gates at which policies are weighed, each with the reasons it leaves."""

    def __init__(self, call: Call, api: Api, route: Route) -> None:
        self.call, self.api, self.route = call, api, route
        self.resource = f"{api.arn}/{api.stage}/{call.method}/{call.path.removeprefix('/')}"
        self.said = (call.facts or NO_FACTS).holds
        # As the policies of the caller's side and of the endpoint see it.
        keys = CallKeys(call, api, call.caller)
        self.request = Request(ACTION, self.resource, _who(call.caller), keys)

    def gates(self) -> Iterator[Decision]:
        """The signature, the endpoint's policy, the method's authorization."""
        call, authorization = self.call, self.route.authorization
        problem, endpoint = call.signature, call.origin.endpoint
        iam = authorization is Authorization.AWS_IAM
        if problem and (iam or (problem.attempted and endpoint)):
            yield self._unproven(problem, rules.SIGNATURE if iam else rules.SIGNATURE_AT_ENDPOINT)
            # Who calls is not known, then; only what holds for everybody can be said.
            if self.api.private and self.api.policy is None:
                yield self._without_policy(None)
            return
        if endpoint is not None and endpoint.policy is not None:
            yield self._endpoint_policy(endpoint.policy)
        if authorization is Authorization.NONE:
            yield self._open()
        elif authorization is Authorization.CUSTOM:
            yield self._authorizers_policy()
            yield self._authorizer()
        elif not iam:
            yield self._authorizer()
            yield self._authorizers_policy()
        elif call.caller is None:
            why = "the method asks for a signature and the call has none"
            reason = Reason(rules.UNSIGNED_ON_IAM, why)
            yield PASSED.refused(reason, refusals.MISSING_TOKEN)
        else:
            yield self._iam(call.caller)

    def _unproven(self, problem: SignatureProblem, rule: Rule) -> Decision:
        if problem.unknown:
            return PASSED.unknown(problem.message, (Lack.of("the signature proves who calls"),))
        return PASSED.refused(Reason(rule, problem.summary), refusals.signature(problem))

    def _endpoint_policy(self, policy: Policy) -> Decision:
        sides = _Sides.of((policy,), self.request)
        if any(match.direct is not True for match in sides.matches):
            sides = self._accounts_at_endpoint(sides)
        return self._must_allow(policy, sides, _ENDPOINT, self.call.caller)

    def _accounts_at_endpoint(self, sides: _Sides) -> _Sides:
        """What an account as Principal means to an endpoint is not documented."""
        counts = self.said.get(ACCOUNT_AT_ENDPOINT)

        def truth(match: Match) -> Truth:
            if match.direct is True or counts:
                return match.truth
            return match.direct if counts is False else None

        denies = [truth(match) for match in sides.matches if match.statement.effect == "Deny"]
        allows = [truth(match) for match in sides.matches if match.statement.effect == "Allow"]
        lacks = () if counts is not None else (ACCOUNT_AT_ENDPOINT,)
        return _Sides(sides.matches, any_of(denies), any_of(allows), lacks=lacks)

    def _must_allow(
        self, policy: Policy, sides: _Sides, role: _Role, caller: Principal | None
    ) -> Decision:
        """A policy that must allow by itself: an endpoint's, or that of an open method's API."""
        if sides.denied:
            notes = self._notes(role.denies, sides.matches, "Deny")
            return self._denied(notes, caller, f"with an explicit deny in a {role.kind} policy")
        if sides.allowed is False:
            reason = Reason(role.rule, "{} allows no such call", operands=(policy.name,))
            because = f"because no {role.kind} policy allows the {ACTION} action"
            return self._denied([reason], caller, because)
        if sides.denied is None or sides.allowed is None:
            return self._unknown_because(sides.matches, sides.lacks)
        return Decision(Verdict.ALLOWED, tuple(self._notes(role.rule, sides.matches, "Allow")))

    def _open(self) -> Decision:
        policy = self.api.policy
        if policy is not None:
            sides = _Sides.of((policy,), self._to_api_policy(None))
            return self._must_allow(policy, sides, _OPEN, None)
        if self.api.private:
            return self._without_policy(None)
        says = "{} has no resource policy and is public"
        reason = Reason(rules.NO_AUTHORIZATION, says, operands=(self.api.name,))
        return Decision(Verdict.ALLOWED, (reason,))

    def _without_policy(self, caller: Principal | None) -> Decision:
        says = "{} is private and has no resource policy"
        reason = Reason(rules.PRIVATE_NEEDS_POLICY, says, operands=(self.api.name,))
        return self._denied([reason], caller, _NO_RESOURCE)

    def _authorizers_policy(self) -> Decision:
        """The resource policy beside an authorizer: what it refuses, no authorizer lets in.

        A Deny is looked for before a Lambda authorizer is called; what is left is weighed with the
        authorizer's answer. A Cognito user pool's token comes first, so its refusal may be sent;
        whether the policy must allow as well, the page says in its text and denies in its Table A.
        """
        policy, kind = self.api.policy, self.route.authorization
        if policy is None:
            return self._without_policy(None) if self.api.private else PASSED
        sides = _Sides.of((policy,), self._to_api_policy(None))
        if kind is Authorization.CUSTOM:
            sides.allowed = True
        elif sides.allowed is False:
            sides.allowed, sides.lacks = self.said.get(_SILENT), (_SILENT,)
        return self._must_allow(policy, sides, _AUTHORIZER, None)

    def _authorizer(self) -> Decision:
        """An authorizer that is not modelled."""
        kind = self.route.authorization.value
        admits = Lack.of(f"the authorizer {kind} admits it")
        said = self.said.get(admits)
        if said is None:
            return PASSED.unknown(f"authorization {kind} is not modelled", (admits,))
        stated = "admits" if said else "refuses"
        reason = Reason(rules.AUTHORIZER, "it is stated that it {} the call", operands=(stated,))
        if said:
            return Decision(Verdict.ALLOWED, (reason,))
        return PASSED.refused(reason, refusals.unworded("what an authorizer says is its own"))

    def _iam(self, caller: Principal) -> Decision:
        api = self.api
        if api.policy is None and api.private:
            return self._without_policy(caller)
        resource = _NONE
        if api.policy is not None:
            resource = _Sides.of((api.policy,), self._to_api_policy(caller))
        identity = _Sides.of(caller.policies, self.request)
        limits = [_Sides.of((limit,), self.request) for limit in caller.limits]
        session = _Sides.of(caller.session, self.request) if caller.session else _NONE
        found = (resource, identity, *limits, session)
        denied = _denied(found)
        if denied:
            boundaries = [("a permissions boundary", limit) for limit in limits]
            kinds = [
                ("a resource-based policy", resource),
                ("an identity-based policy", identity),
                *boundaries,
                ("a session policy", session),
            ]
            return self._denied_by(kinds, caller)
        side = _CallersSide(
            granted=True if caller.is_root else identity.allowed,
            in_boundary=all_of(limit.allowed for limit in limits) if limits else True,
            in_session=session.allowed if caller.session else True,
        )
        lacks: tuple[Lack, ...] = ()
        same_account = caller.account == api.account
        if same_account:
            directly = resource.directly
            if directly and side.within is not True:
                # Whether a limit also binds an Allow by the API depends on whom it names.
                directly, lacks = self.said.get(_LIMITS), (_LIMITS,)
            allowed = _either(side.allows, directly)
        else:
            allowed = _both(side.allows, resource.allowed)
        rule = rules.IAM_SAME_ACCOUNT if same_account else rules.IAM_OTHER_ACCOUNT
        if allowed is False:
            return self._no_allow(caller, side, rule)
        if allowed is None or denied is None:
            matches = [match for sides in found for match in sides.matches]
            return self._unknown_because(matches, lacks if allowed is None else ())
        reasons = []
        if api.private and same_account and not resource.allowed:
            says = "{}'s own policy has no Allow for the call"
            reasons.append(Reason(rules.DENY_ONLY_ON_PRIVATE, says, operands=(api.name,)))
        if caller.is_root:
            reasons.append(Reason(rule, "the account's root user needs no grant"))
        reasons += self._notes(rule, identity.matches, "Allow")
        reasons += self._notes(rule, resource.matches, "Allow")
        return Decision(Verdict.ALLOWED, tuple(reasons))

    def _denied_by(self, found: Iterable[tuple[str, _Sides]], caller: Principal) -> Decision:
        """The first kind of policy with a Deny that matches is named."""
        kind, sides = next((kind, sides) for kind, sides in found if sides.denied)
        notes = self._notes(rules.EXPLICIT_DENY, sides.matches, "Deny")
        return self._denied(notes, caller, f"with an explicit deny in {kind}")

    def _no_allow(self, caller: Principal, side: _CallersSide, rule: Rule) -> Decision:
        """The kind of policy that API Gateway names when nothing denies and nothing allows."""
        operands: tuple[object, ...]
        if side.granted is False:
            kind, says = "identity-based policy", "{} holds no grant for {} {} of {}"
            operands = (Who.of(caller), self.call.method, self.call.path, self.api.name)
        elif side.within is False:
            rule = rules.PERMISSIONS_BOUNDARY
            kind = "permissions boundary" if side.in_boundary is False else "session policy"
            says, operands = "no {} of {} allows the call", (kind, Who.of(caller, whole=True))
        else:
            kind, says = "resource-based policy", "{}'s policy does not name {}"
            operands = (self.api.name, caller.account)
        because = f"because no {kind} allows the {ACTION} action"
        return self._denied([Reason(rule, says, operands=operands)], caller, because)

    def _to_api_policy(self, caller: Principal | None) -> Request:
        """The call as the API's own policy sees it: its short form, its condition keys."""
        keys = CallKeys(self.call, self.api, caller, NOT_OF_API_POLICIES)
        return Request(ACTION, self.resource, _who(caller), keys, self.api.arn)

    def _notes(self, rule: Rule, matches: Iterable[Match], effect: str) -> list[Reason]:
        """The statements that match and have an effect, as reasons."""
        return [
            Reason.of(
                rules.ACCOUNT_DELEGATION if effect == "Allow" and match.direct is False else rule,
                match,
            )
            for match in matches
            if match.truth and match.statement.effect == effect
        ]

    def _denied(self, reasons: list[Reason], caller: Principal | None, because: str) -> Decision:
        answer = Denied(caller.arn if caller else None, self.resource, because)
        return Decision(Verdict.REFUSED, tuple(reasons), answer)

    def _unknown_because(self, matches: Iterable[Match], lacks: tuple[Lack, ...] = ()) -> Decision:
        doubtful = [match for match in matches if match.truth is None]
        # What is not understood may be of either effect, which is said once.
        effects: dict[str, list[str]] = {}
        for match in doubtful:
            effects.setdefault(f"{match.named}: {match.doubt}", []).append(match.statement.effect)
        doubts = [f"{' or '.join(dict.fromkeys(of))} {text}" for text, of in effects.items()]
        found = dict.fromkeys(lacks)
        for match in doubtful:
            found.update(dict.fromkeys(match.lacks or (Lack.of(f"{match} matches the call"),)))
        why = "; ".join(doubts) or "how these policies combine is not documented"
        return PASSED.unknown(why, tuple(found))


def _who(caller: Principal | None) -> Caller:
    return caller.named if caller else ANONYMOUS


def _both(one: Truth, other: Truth) -> Truth:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _either(one: Truth, other: Truth) -> Truth:
    if one or other:
        return True
    return None if one is None or other is None else False


def _denied(found: Iterable[_Sides]) -> Truth:
    """Whether one Deny of any kind matches."""
    denied: Truth = False
    for sides in found:
        if sides.denied:
            return True
        if sides.denied is None:
            denied = None
    return denied
