"""The application as it is read from its template, the nested ones included."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backstairs.access import Authorization
from backstairs.template.application import read_application

if TYPE_CHECKING:
    from backstairs.template.model import Application

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def application() -> Application:
    """As it is deployed with nothing given."""
    return read_application(ROOT / "template.yaml")


def line(source: object) -> str:
    """The text at a source."""
    file, _, rest = str(source).partition(":")
    return (ROOT / file).read_text("utf-8").splitlines()[int(rest.split(" ")[0]) - 1].strip()


def test_everything_of_this_application_is_read(application: Application) -> None:
    """Nothing is left that was not understood, and nothing had to be assumed."""
    assert application.not_read == ()
    assert application.assumed == frozenset()


def test_its_apis_are_read_with_their_lines(application: Application) -> None:
    """Routes at the event or the definition that makes them, statements where they are written."""
    apis = {one.name: one for one in application.apis}
    assert apis.keys() == {"ClaimsApi", "ReferenceApi"}
    claims = apis["ClaimsApi"]
    assert claims.api.private
    assert {route.authorization for route in claims.api.routes} == {Authorization.AWS_IAM}
    assert line(claims.source) == "ClaimsApi:"
    (update,) = (route for route in claims.api.routes if route.method == "PUT")
    assert line(claims.route_sources[update]) == "Update:"
    assert claims.route_sources[update].made_by == "Events.Update"
    assert claims.api.policy is not None
    assert {line(one.source) for one in claims.api.policy.statements} == {"- Effect: Deny"}
    reference = apis["ReferenceApi"]
    (route,) = reference.api.routes
    assert line(reference.route_sources[route]) == "get:"
    assert reference.api.policy is not None
    for one in reference.api.policy.statements:
        assert line(one.source) == "ResourcePolicy:"


def test_an_id_is_the_same_wherever_the_template_refers_to_it(application: Application) -> None:
    """The endpoint of the nested network is that of the policies, through output and parameter."""
    (claims,) = (one for one in application.apis if one.name == "ClaimsApi")
    assert claims.api.policy is not None
    condition = claims.api.policy.statements[0].conditions[0]
    endpoint = application.resources["Network/ExecuteApiEndpoint"]
    assert endpoint["Type"] == "AWS::EC2::VPCEndpoint"
    assert condition.values == ("vpce-Network.ExecuteApiEndpoint",)


def test_functions_are_in_the_network_that_is_nested(application: Application) -> None:
    """By the names of its subnets and group; the one that is in none says so."""
    functions = {one.name: one for one in application.functions}
    assert functions["MembersFunction"].subnets == ("Network/SubnetA", "Network/SubnetB")
    assert functions["MembersFunction"].security_groups == ("Network/ClientSecurityGroup",)
    assert functions["MembersFunction"].role == "MembersFunctionRole"
    assert functions["Operation/PrunerFunction"].subnets == ()
    assert line(functions["Operation/PrunerFunction"].source) == "PrunerFunction:"
