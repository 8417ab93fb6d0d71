"""What a decision is about, APIs, endpoints, principals, calls, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from backstairs.access.policy import Caller

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backstairs.access.facts import Facts
    from backstairs.access.patterns import Text
    from backstairs.access.policy import Policy
    from backstairs.access.sigv4 import SignatureProblem


Table = dict[str, tuple[str, ...]]

# "The key is not included for requests made through public service endpoints" (the same page, of
# aws:SourceVpcArn and aws:VpceAccount; in other words of the other keys). Through an endpoint the
# last four stay unknown: execute-api is not among the services that the page says support them.
_OF_ENDPOINTS = (
    "aws:sourcevpce",
    "aws:sourcevpc",
    "aws:vpcsourceip",
    "aws:sourcevpcarn",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
)
_OF_PRINCIPALS = (
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principaltag/*",
    "aws:principalisawsservice",
    "aws:userid",
    "aws:username",
)
_ALWAYS: Table = {"aws:securetransport": ("true",), "aws:viaawsservice": ("false",)}
ANONYMOUS_KEYS: Table = dict.fromkeys(_OF_PRINCIPALS, ())


class Authorization(Enum):
    """A method's authorization type, by API Gateway's own names."""

    NONE = "NONE"
    AWS_IAM = "AWS_IAM"
    COGNITO_USER_POOLS = "COGNITO_USER_POOLS"
    CUSTOM = "CUSTOM"


class Kind(Enum):
    """The two kinds of API that API Gateway serves over HTTP, by its own names."""

    REST = "REST"
    HTTP = "HTTP"


@dataclass(frozen=True, slots=True)
class Route:
    """One method of a REST API, or one route of an HTTP API.

    `path` is the resource's pattern (`/members/{memberId}`), or `$default` with the method ANY for
    an HTTP API's last resort. `function` is the ARN of the Lambda function behind it, with its
    alias where it has one, or None for another kind of backend. `needs_key`: the method also asks
    for an API key.
    """

    method: str
    path: str
    authorization: Authorization
    function: str | None
    needs_key: bool = False


@dataclass(frozen=True, slots=True)
class Api:
    """A deployed API with one of its stages (an HTTP API's may be `$default`).

    `policy` is its resource policy, which only a REST API can have. `key_source` is where its API
    keys come from: HEADER (`x-api-key`) or AUTHORIZER. `default_endpoint`: it answers to its
    execute-api names, which are all the names that there are here; None where that is not known.
    """

    api_id: str
    name: str
    stage: str
    region: str
    account: str
    private: bool
    policy: Policy | None
    routes: tuple[Route, ...]
    partition: str = "aws"
    kind: Kind = Kind.REST
    key_source: str = "HEADER"
    default_endpoint: bool | None = True
    arn: str = field(init=False, repr=False, compare=False)
    """`arn:aws:execute-api:REGION:ACCOUNT:API`, the prefix of every resource in it."""

    def __post_init__(self) -> None:
        arn = f"arn:{self.partition}:execute-api:{self.region}:{self.account}:{self.api_id}"
        object.__setattr__(self, "arn", arn)

    @property
    def needs_key(self) -> bool:
        """Whether one of its methods asks for an API key."""
        return any(route.needs_key for route in self.routes)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An execute-api interface endpoint.

    `policy` None is AWS's default: everything. `vpc_id` empty: which VPC it is in is not known.
    """

    endpoint_id: str
    vpc_id: str
    policy: Policy | None = None
    private_dns: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call enters: through an endpoint, or from the internet (`endpoint` None).

    `source_ip` is the client's address as API Gateway sees it: inside the VPC for an endpoint. It
    may be a network (`10.0.0.0/16`): then any address of it.
    """

    name: str
    endpoint: Endpoint | None = None
    source_ip: str | None = None
    keys: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", _keys_of_origin(self))


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed caller with the policies of its own account.

    `arn` is the principal as STS names it (`arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`, a
    user's or the root's ARN), `principal_arn` what `aws:PrincipalArn` holds: for an assumed role
    the role's own ARN. `limits` holds its permissions boundary: it must allow as well. So must one
    of the `session` policies, where the session was given any. A tag whose name or value is not
    known is `Unresolved`.
    """

    arn: str
    principal_arn: str
    account: str
    kind: str
    user_id: str | None = None
    policies: tuple[Policy, ...] = ()
    limits: tuple[Policy, ...] = ()
    session: tuple[Policy, ...] = ()
    tags: Mapping[str, Text] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    named: Caller = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", _keys_of_caller(self))
        named = Caller(self.arn, self.principal_arn, self.account)
        object.__setattr__(self, "named", named)

    @property
    def is_root(self) -> bool:
        """The account's root user, which no identity policy needs to allow anything."""
        return self.kind == "Account"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key of the account; its value is nobody's business here.

    `stages` holds (API id, stage) of every stage that the key's usage plans cover, `doubtful` those
    that more than one of them covers.
    """

    key_id: str
    name: str
    enabled: bool
    stages: frozenset[tuple[str, str]]
    doubtful: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Call:
    """One call to be decided on.

    `path` is below the stage and as it was sent (`/members/m-1`). `api` None: no such API or
    stage; `route` None: no such method. `caller` is a proven identity, None an anonymous one;
    `signature` says why an offered signature proves none. `api_key` is the key that was offered;
    `key_problem` says why what was offered is none of the account's. `now` None: at any time.
    `facts` is what else somebody knows.
    """

    origin: Origin
    method: str
    path: str
    api: Api | None
    route: Route | None
    caller: Principal | None = None
    signature: SignatureProblem | None = None
    api_key: ApiKey | None = None
    key_problem: str | None = None
    now: datetime | None = None
    facts: Facts | None = None


def _keys_of_origin(origin: Origin) -> Table:
    """What a call has of the way that it comes; no values: certainly absent."""
    endpoint = origin.endpoint
    table = dict(_ALWAYS)
    if endpoint is None:
        table |= dict.fromkeys(_OF_ENDPOINTS, ())
    else:
        table["aws:sourcevpce"] = (endpoint.endpoint_id,)
        if endpoint.vpc_id:
            table["aws:sourcevpc"] = (endpoint.vpc_id,)
    if origin.source_ip is not None:
        table["aws:vpcsourceip" if endpoint else "aws:sourceip"] = (origin.source_ip,)
    return table


def _keys_of_caller(caller: Principal) -> Table:
    """What a call has of who signed it."""
    table: Table = {
        "aws:principalarn": (caller.principal_arn,),
        "aws:principalaccount": (caller.account,),
        "aws:principaltype": (caller.kind,),
        "aws:principalisawsservice": ("false",),
        "aws:username": (),
    }
    if caller.user_id is not None:
        table["aws:userid"] = (caller.user_id,)
    if caller.kind == "User":
        table["aws:username"] = (caller.principal_arn.rpartition("/")[2],)
    known = {name: value for name, value in caller.tags.items() if isinstance(value, str)}
    table |= {f"aws:principaltag/{name.lower()}": (value,) for name, value in known.items()}
    if len(known) == len(caller.tags):
        table["aws:principaltag/*"] = ()
    return table
