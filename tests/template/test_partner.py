"""One more partner of a public API, in a stack of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.load import load
from tests.template.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

APIS = ("forwarder", "vpc-link")


@pytest.fixture(scope="module")
def partner(partner_with: Callable[..., Any]) -> Any:
    """A partner with a small plan."""
    return partner_with(
        ApiStackName="network", PartnerRate="3", PartnerBurst="4", PartnerQuota="50"
    )


def test_a_partner_has_a_plan_of_its_own_for_the_apis_stage(partner: Any) -> None:
    """Rate, burst and quota are this partner's alone."""
    plan = partner.properties("PartnerPlan")
    assert plan["ApiStages"] == [{"ApiId": "a1b2c3", "Stage": "dev"}]
    assert plan["Throttle"] == {"RateLimit": "3", "BurstLimit": "4"}
    assert plan["Quota"] == {"Limit": "50", "Period": "DAY"}
    (in_plan,) = partner.of_type("AWS::ApiGateway::UsagePlanKey").values()
    assert (in_plan["KeyId"], in_plan["UsagePlanId"]) == ("PartnerKey", "PartnerPlan")


def test_the_key_is_stored_under_the_partners_own_name(partner: Any) -> None:
    """By a role that can read this key and write this parameter alone."""
    value = partner.properties("PartnerKeyValue")
    assert (value["ApiKeyId"], value["ParameterName"]) == ("PartnerKey", "/stack/partner-api-key")
    key, parameter, _ = partner.properties("KeyStoreRole")["Policies"][0]["PolicyDocument"][
        "Statement"
    ]
    assert [arn.rpartition("/")[2] for arn in key["Resource"]] == ["PartnerKey"]
    assert parameter["Resource"].endswith(":parameter/stack/partner-api-key")


@pytest.mark.parametrize(
    ("keys", "valid", "handed_out"),
    [
        ("first-second", ["PartnerKey", "PartnerSecondKey"], "PartnerSecondKey"),
        ("second", ["PartnerSecondKey"], "PartnerSecondKey"),
        ("second-first", ["PartnerKey", "PartnerSecondKey"], "PartnerKey"),
    ],
)
def test_a_partners_key_is_changed_with_an_overlap(
    partner_with: Callable[..., Any], keys: str, valid: list[str], handed_out: str
) -> None:
    """As the first partner's is."""
    stack = partner_with(ApiStackName="network", PartnerKeys=keys)
    assert sorted(stack.of_type("AWS::ApiGateway::ApiKey")) == valid
    in_plan = stack.of_type("AWS::ApiGateway::UsagePlanKey").values()
    assert sorted(one["KeyId"] for one in in_plan) == valid
    assert stack.properties("PartnerKeyValue")["ApiKeyId"] == handed_out


@pytest.mark.parametrize("name", APIS)
def test_both_apis_offer_what_a_partner_imports(name: str) -> None:
    """Under the same names, made of their stack's."""
    exports = {
        one["Export"]["Name"]["Fn::Sub"]
        for one in load(ROOT / "stacks" / f"{name}.yaml")["Outputs"].values()
        if "Export" in one
    }
    assert exports == {"${AWS::StackName}-PublicApiId", "${AWS::StackName}-PublicApiStage"}


@pytest.mark.parametrize("name", APIS)
def test_the_first_partner_is_one_like_the_others(name: str) -> None:
    """Rates, quota and keys by the same parameters, with the same defaults."""
    own = load(ROOT / "stacks" / "partner.yaml")["Parameters"]
    first = load(ROOT / "stacks" / f"{name}.yaml")["Parameters"]
    for parameter in ("PartnerRate", "PartnerBurst", "PartnerQuota", "PartnerKeys"):
        assert own[parameter]["Default"] == first[parameter]["Default"]
    assert own["PartnerKeys"] == first["PartnerKeys"]
