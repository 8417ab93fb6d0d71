"""Policies weighed against each other: the part of a decision that depends on who calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

from backstairs.access import refusals, rules
from backstairs.access.context import NOT_OF_API_POLICIES, context_of
from backstairs.access.model import Authorization, Decision, Reason, Verdict
from backstairs.access.policy import Caller, Request
from backstairs.access.truth import Truth, all_of, any_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backstairs.access.model import Api, Call, Principal, Route
    from backstairs.access.policy import Match, Policy
    from backstairs.access.refusals import Refusal
    from backstairs.access.rules import Rule
    from backstairs.access.sigv4 import SignatureProblem

ACTION = "execute-api:Invoke"
ANONYMOUS = Caller()


@dataclass(frozen=True, slots=True)
class _Found:
    """The statements that match a signed call, by the kind of policy they stand in."""

    resource: list[Match]
    identity: list[Match]
    limits: list[list[Match]]
    session: list[Match]

    def by_kind(self) -> list[tuple[list[Match], str]]:
        """Each kind as API Gateway names it in a refusal."""
        return [
            (self.resource, "a resource-based policy"),
            (self.identity, "an identity-based policy"),
            ([match for limit in self.limits for match in limit], "a permissions boundary"),
            (self.session, "a session policy"),
        ]

    def all(self) -> list[Match]:
        return [match for matches, _ in self.by_kind() for match in matches]


@dataclass(frozen=True, slots=True)
class _CallersSide:
    """What the caller's own policies allow."""

    granted: Truth
    in_boundary: Truth
    in_session: Truth

    @property
    def within(self) -> Truth:
        return all_of((self.in_boundary, self.in_session))

    @property
    def allows(self) -> Truth:
        return all_of((self.granted, self.within))


class Weighing:
    """The steps that weigh policies, and the reasons they leave."""

    def __init__(self, call: Call, api: Api, route: Route) -> None:
        self.call, self.api, self.route = call, api, route
        self.resource = f"{api.arn}/{api.stage}/{call.method}/{call.path.removeprefix('/')}"
        self.request = self._request(call.caller)
        self.reasons: list[Reason] = []

    def decide(self) -> Decision:
        problem, endpoint = self.call.signature, self.call.origin.endpoint
        iam = self.route.authorization is Authorization.AWS_IAM
        if problem and (iam or (problem.attempted and endpoint)):
            return self._unproven(problem, rules.SIGNATURE if iam else rules.SIGNATURE_AT_ENDPOINT)
        if endpoint is not None and endpoint.policy is not None:
            ended = self._endpoint_policy(endpoint.policy)
            if ended is not None:
                return ended
        match self.route.authorization:
            case Authorization.NONE:
                return self._no_authorization()
            case Authorization.AWS_IAM:
                if self.call.caller is None:
                    return self._end(
                        rules.UNSIGNED_ON_IAM,
                        "the method asks for a signature and the call has none",
                        refusals.MISSING_TOKEN,
                    )
                return self._iam(self.call.caller)
            case other:
                return self._unknown(f"authorization {other.value} is not modelled")

    def _unproven(self, problem: SignatureProblem, rule: Rule) -> Decision:
        if problem.unknown:
            return self._unknown(problem.message)
        return self._end(rule, problem.summary, refusals.signature(problem))

    def _endpoint_policy(self, policy: Policy) -> Decision | None:
        """The endpoint's own policy, or None to go on."""
        caller, rule = self.call.caller, rules.ENDPOINT_POLICY_FIRST
        matches = policy.matching(self.request)
        # What an account as Principal means to an endpoint is not documented.
        denied, allowed = _sides(
            matches, lambda match: match.truth if match.direct is True else None
        )
        if denied:
            self._note(rule, matches, "Deny")
            return self._denied(caller, "with an explicit deny in a VPC endpoint policy")
        if allowed is False:
            self.reasons.append(Reason(rule, f"{policy.name} allows no such call"))
            return self._denied(
                caller, f"because no VPC endpoint policy allows the {ACTION} action"
            )
        if denied is None or allowed is None:
            return self._unknown_because(matches)
        self._note(rule, matches, "Allow")
        return None

    def _no_authorization(self) -> Decision:
        rule = rules.NO_AUTHORIZATION
        policy = self.api.policy
        if policy is None:
            if self.api.private:
                return self._without_policy(None)
            self.reasons.append(
                Reason(rule, f"{self.api.name} has no resource policy and is public")
            )
            return self._allowed()
        anonymous = self._request(None) if self.call.caller else self.request
        matches = policy.matching(self._to_api_policy(anonymous))
        denied, allowed = _sides(matches)
        if denied:
            self._note(rules.EXPLICIT_DENY, matches, "Deny")
            return self._denied(None, "with an explicit deny in a resource-based policy")
        if allowed is False:
            self.reasons.append(Reason(rule, f"{policy.name} allows no such call"))
            return self._denied(
                None, f"because no resource-based policy allows the {ACTION} action"
            )
        if denied is None or allowed is None:
            return self._unknown_because(matches)
        self._note(rule, matches, "Allow")
        return self._allowed()

    def _without_policy(self, caller: Principal | None) -> Decision:
        why = f"{self.api.name} is private and has no resource policy"
        self.reasons.append(Reason(rules.PRIVATE_NEEDS_POLICY, why))
        return self._denied(caller, f"because no resource-based policy allows the {ACTION} action")

    def _iam(self, caller: Principal) -> Decision:
        if self.api.policy is None and self.api.private:
            return self._without_policy(caller)
        found = self._matching(caller)
        for matches, kind in found.by_kind():
            if _sides(matches)[0]:
                self._note(rules.EXPLICIT_DENY, matches, "Deny")
                return self._denied(caller, f"with an explicit deny in {kind}")
        side = _CallersSide(
            granted=True if caller.is_root else _sides(found.identity)[1],
            in_boundary=all_of(_sides(limit)[1] for limit in found.limits),
            in_session=_sides(found.session)[1] if caller.session else True,
        )
        by_api = _sides(found.resource)[1]
        same_account = caller.account == self.api.account
        if same_account:
            directly = _sides(found.resource, attrgetter("direct"))[1]
            if directly and side.within is not True:
                # Whether a limit also binds an Allow by the API depends on whom it names.
                directly = None
            allowed = any_of((side.allows, directly))
        else:
            allowed = all_of((side.allows, by_api))
        rule = rules.IAM_SAME_ACCOUNT if same_account else rules.IAM_OTHER_ACCOUNT
        if allowed is False:
            return self._no_allow(caller, side, rule)
        if allowed is None or _sides(found.all())[0] is None:
            return self._unknown_because(found.all())
        if self.api.private and same_account and not by_api:
            why = f"{self.api.name}'s own policy has no Allow for the call"
            self.reasons.append(Reason(rules.DENY_ONLY_ON_PRIVATE, why))
        if caller.is_root:
            self.reasons.append(Reason(rule, "the account's root user needs no grant"))
        self._note(rule, [*found.identity, *found.resource], "Allow")
        return self._allowed()

    def _matching(self, caller: Principal) -> _Found:
        request, policy = self.request, self.api.policy
        return _Found(
            resource=policy.matching(self._to_api_policy(request)) if policy else [],
            identity=[match for held in caller.policies for match in held.matching(request)],
            limits=[limit.matching(request) for limit in caller.limits],
            session=[match for given in caller.session for match in given.matching(request)],
        )

    def _no_allow(self, caller: Principal, side: _CallersSide, rule: Rule) -> Decision:
        """The kind of policy that API Gateway names when nothing denies and nothing allows."""
        if side.granted is False:
            kind = "identity-based policy"
            who = caller.principal_arn.rpartition("/")[2]
            why = f"{who} holds no grant for {self.call.method} {self.call.path} of {self.api.name}"
        elif side.within is False:
            rule = rules.PERMISSIONS_BOUNDARY
            kind = "permissions boundary" if side.in_boundary is False else "session policy"
            why = f"no {kind} of {caller.arn} allows the call"
        else:
            kind = "resource-based policy"
            why = f"{self.api.name}'s policy does not name {caller.account}"
        self.reasons.append(Reason(rule, why))
        return self._denied(caller, f"because no {kind} allows the {ACTION} action")

    def _request(self, caller: Principal | None) -> Request:
        who = Caller(caller.arn, caller.principal_arn, caller.account) if caller else ANONYMOUS
        return Request(ACTION, self.resource, who, context_of(self.call, self.api, caller))

    def _to_api_policy(self, request: Request) -> Request:
        """A request as the API's own policy sees it: its short form, its condition keys."""
        context = request.context.without(NOT_OF_API_POLICIES)
        return replace(request, api_arn=self.api.arn, context=context)

    def _note(self, rule: Rule, matches: Iterable[Match], effect: Literal["Allow", "Deny"]) -> None:
        for match in matches:
            if match.truth and match.statement.effect == effect:
                conditions = " and ".join(map(str, match.statement.conditions))
                text = f"{match} matches" + (f" ({conditions})" if conditions else "")
                delegates = effect == "Allow" and match.direct is False
                follows = rules.ACCOUNT_DELEGATION if delegates else rule
                self.reasons.append(Reason(follows, text, match.statement.source))

    def _end(self, rule: Rule, text: str, answer: Refusal) -> Decision:
        self.reasons.append(Reason(rule, text))
        return Decision(Verdict.REFUSED, tuple(self.reasons), answer)

    def _denied(self, caller: Principal | None, because: str) -> Decision:
        answer = refusals.access_denied(caller.arn if caller else None, self.resource, because)
        return Decision(Verdict.REFUSED, tuple(self.reasons), answer)

    def _allowed(self) -> Decision:
        return Decision(Verdict.ALLOWED, tuple(self.reasons))

    def _unknown_because(self, matches: Iterable[Match]) -> Decision:
        doubts = [f"{match}: {match.doubt}" for match in matches if match.truth is None]
        return self._unknown("; ".join(doubts) or "how these policies combine is not documented")

    def _unknown(self, why: str) -> Decision:
        self.reasons.append(Reason(rules.NOT_MODELLED, why))
        return Decision(Verdict.UNKNOWN, tuple(self.reasons), refusals.undecided(why))


def _sides(
    matches: Iterable[Match], truth: Callable[[Match], Truth] = attrgetter("truth")
) -> tuple[Truth, Truth]:
    """Whether one Deny matches, and whether one Allow does."""
    denies: list[Truth] = []
    allows: list[Truth] = []
    for match in matches:
        (denies if match.statement.effect == "Deny" else allows).append(truth(match))
    return any_of(denies), any_of(allows)
