"""docs/costs.md says of each stack what it costs a month before anybody calls anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.load import load
from tests.local.application import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PAGE = (ROOT / "docs" / "costs.md").read_text("utf-8")
TEMPLATES = [ROOT / "template.yaml", *sorted((ROOT / "stacks").glob("*.yaml"))]
HOURS, ZONES = 730, 2


def prices() -> dict[str, float]:
    """What the page says that one thing costs."""
    return {
        name: float(price)
        for name, price in re.findall(r"^\| ([a-z ,]+?) \| ([0-9.]+) \|", PAGE, re.MULTILINE)
    }


def monthly(path: Path) -> float:
    """A stack's fixed cost with every option on, the stacks nested in it included."""
    return round(sum(_of(resource, path) for resource in load(path)["Resources"].values()), 2)


def _of(resource: Mapping[str, Any], path: Path) -> float:
    price, properties = prices(), resource.get("Properties", {})
    match resource["Type"]:
        case "AWS::Serverless::Application" | "AWS::CloudFormation::Stack":
            return monthly((path.parent / str(properties["Location"])).resolve())
        case "AWS::EC2::VPCEndpoint" if properties["VpcEndpointType"] == "Interface":
            return HOURS * ZONES * price["interface endpoint, an hour and zone"]
        case "AWS::CloudWatch::Alarm":
            metrics = [one for one in properties.get("Metrics", [{}]) if "Expression" not in one]
            return len(metrics) * price["metric of an alarm"]
        case "AWS::CloudWatch::Dashboard":
            return price["dashboard"]
        case "AWS::WAFv2::WebACL":
            return price["web acl"] + len(properties["Rules"]) * price["rule of a web acl"]
        case _:
            return 0.0


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_the_page_has_the_templates_figure(path: Path) -> None:
    """Counted from the template: endpoints in two zones, alarms, dashboards, web ACLs."""
    name = path.relative_to(ROOT)
    said = re.search(rf"^\| `{re.escape(str(name))}` \| ([0-9.]+) \|", PAGE, re.MULTILINE)
    assert said, f"{name} is not on the page; it costs {monthly(path):.2f}"
    assert float(said[1]) == monthly(path)
