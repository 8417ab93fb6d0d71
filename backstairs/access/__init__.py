"""Who may call what, from where, and why: the one place where access is decided.

Pure and typed: no socket, no AWS client, no clock. The door asks it about real requests, the
proof about possible ones, and both get the same `Decision`, with its reasons.
"""

from backstairs.access.conditional import admitted_if
from backstairs.access.decision import decide
from backstairs.access.distinctions import Distinctions
from backstairs.access.documents import parse_policy
from backstairs.access.facts import Facts, Organization, parse_facts
from backstairs.access.gates import Decision, Reason, Verdict
from backstairs.access.lacks import Lack
from backstairs.access.many import Crowd, said_of
from backstairs.access.model import (
    Api,
    ApiKey,
    Authorization,
    Call,
    Endpoint,
    Kind,
    Origin,
    Principal,
    Route,
)
from backstairs.access.patterns import Unresolved
from backstairs.access.policy import Policy
from backstairs.access.rules import Known, Rule
from backstairs.access.sigv4 import SignatureProblem, WireRequest
from backstairs.access.source import Source

__all__ = [
    "Api",
    "ApiKey",
    "Authorization",
    "Call",
    "Crowd",
    "Decision",
    "Distinctions",
    "Endpoint",
    "Facts",
    "Kind",
    "Known",
    "Lack",
    "Organization",
    "Origin",
    "Policy",
    "Principal",
    "Reason",
    "Route",
    "Rule",
    "SignatureProblem",
    "Source",
    "Unresolved",
    "Verdict",
    "WireRequest",
    "admitted_if",
    "decide",
    "parse_facts",
    "parse_policy",
    "said_of",
]
