"""A call of the matrix as a line of shell."""

from __future__ import annotations

from backstairs.access import Authorization
from backstairs.report.curl import curl
from backstairs.report.matrix import matrix_of
from tests.report.built import api, application


def lines(name: str, **kind: object) -> dict[tuple[str, str], str]:
    """The lines of an API with one route, by caller and way in."""
    one = api(name, [("POST", "/a/{b}")], allows=None, **kind)  # type: ignore[arg-type]
    cells = matrix_of(application(apis=(one,))).cells
    return {(cell.caller.name, cell.entrance.name): curl(cell) for cell in cells}


def test_a_signed_call_by_an_endpoint_names_api_and_endpoint() -> None:
    """By the alias that AWS gives to the two; credentials are variables."""
    assert lines("Api")["NotifierFunction", "Endpoint"] == (
        'curl --request POST --aws-sigv4 aws:amz:us-east-1:execute-api --user "$KEY_ID:$SECRET" '
        '--header "x-amz-security-token: $TOKEN" '
        "'https://api-vpce-0a1b2c.execute-api.us-east-1.amazonaws.com/dev/a/~any'"
    )


def test_an_anonymous_call_from_the_internet_is_plain() -> None:
    """Nothing to sign with."""
    assert lines("Api", private=False)["anonymous", "the internet"] == (
        "curl --request POST 'https://api.execute-api.us-east-1.amazonaws.com/dev/a/~any'"
    )


def test_a_key_is_a_variable() -> None:
    """No value of one is known here."""
    open_to_keys = lines("Api", private=False, needs_key=True, authorization=Authorization.NONE)
    assert '--header "x-api-key: $API_KEY"' in open_to_keys["a key holder", "the internet"]
    assert "x-api-key" not in open_to_keys["anonymous", "the internet"]
