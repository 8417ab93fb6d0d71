"""What the APIs without a function overwrite is what the forwarder would drop."""

from __future__ import annotations

import pytest
from forwarder.asserted import is_asserted, plain

from backstairs.template.load import load
from tests.template.conftest import ROOT

OF_THE_CALL = {"authorization", "x-amz-security-token", "x-api-key"}


@pytest.mark.parametrize(
    ("stack", "api", "path"),
    [
        ("http-backend", "BackendApi", "/backend/{path+}"),
        ("vpc-link", "PublicApi", "/partner/{path+}"),
    ],
)
def test_only_what_says_who_calls_is_overwritten(stack: str, api: str, path: str) -> None:
    """Beside the caller's credentials; a header that the forwarder lets through is none of them."""
    definition = load(ROOT / "stacks" / f"{stack}.yaml")["Resources"][api]["Properties"]
    method = definition["DefinitionBody"]["paths"][path]["x-amazon-apigateway-any-method"]
    prefix = "integration.request.header."
    names = {
        name.removeprefix(prefix)
        for name in method["x-amazon-apigateway-integration"]["requestParameters"]
        if name.startswith(prefix)
    }
    assert len(names) > 60
    assert [name for name in names if not is_asserted(plain(name))] == [
        name for name in names if plain(name) in OF_THE_CALL
    ]
