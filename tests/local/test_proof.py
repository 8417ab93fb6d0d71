"""The proof against the real door: each call of the matrix, made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.local.application import ROOT

if TYPE_CHECKING:
    from tests.local.application import Application


def test_proof_and_door_agree_on_every_call(application: Application) -> None:
    """Of every route, caller and way in, those of the contract's rules among them."""
    contract = str(ROOT / "access.yaml")
    done = application.command("access", "verify", "--contract", contract)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    made = re.search(r"(\d+) calls made: proof and answer agree on (\d+)\.", done.stdout)
    assert made is not None
    assert made[1] == made[2]
    cells = re.match(r"template.yaml keeps to .*: (\d+) calls decided", kept(application, contract))
    assert cells is not None
    assert int(made[1]) == int(cells[1]) > 100
    assert "not made" not in done.stdout


def kept(application: Application, contract: str) -> str:
    """What check says of the same template."""
    return " ".join(application.command("access", "check", "--contract", contract).stdout.split())


def test_a_disagreement_is_printed_with_a_call(application: Application) -> None:
    """A template that is not what is deployed: the claims function would have a grant."""
    template = application.folder / "changed.yaml"
    text = (application.folder / "template.yaml").read_text("utf-8")
    put = (
        "dynamodb:PutItem, dynamodb:UpdateItem]\n              Resource: !GetAtt ClaimsTable.Arn\n"
    )
    grant = (
        "            - Effect: Allow\n              Action: execute-api:Invoke\n"
        '              Resource: "arn:aws:execute-api:*:*:*/*/GET/members/*"\n'
    )
    assert text.count(put) == 1
    template.write_text(text.replace(put, put + grant), "utf-8")
    done = application.command("access", "verify", "changed.yaml")
    assert done.returncode == 1
    assert (
        "ClaimsFunction, GET /members/{memberId} of ClaimsApi, from Network/ExecuteApiEndpoint: "
        "the proof says allowed, the answer is 403 AccessDeniedException"
    ) in done.stdout
    assert "  curl --aws-sigv4" in done.stdout
