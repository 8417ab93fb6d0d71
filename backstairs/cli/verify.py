"""The matrix's calls made for real through the doors of what runs here, and what came of them."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backstairs.access import Verdict
from backstairs.report import callers, entrances

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from botocore.credentials import Credentials

    from backstairs.account.client import Account
    from backstairs.client import Answer
    from backstairs.local.running import Running
    from backstairs.report.callers import Caller
    from backstairs.report.matrix import Cell, Matrix

STRANGERS_ACCOUNT = "999999999999"
_ROLE = "backstairs-access-verify"
# Only API Gateway names its refusals; a function's own 403 has no such header.
_REFUSALS = {
    "AccessDeniedException",
    "BackstairsRefused",
    "ExpiredTokenException",
    "ForbiddenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "NotFoundException",
    "UnauthorizedException",
    "UnrecognizedClientException",
}
_UNKNOWN = "BackstairsUnknown"
_READS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Made:
    """A call of the matrix: what came of it, or why it was not made."""

    cell: Cell
    said: Verdict | None
    answer: str

    @property
    def disagrees(self) -> bool:
        """Whether what came of it is something else than the proof says."""
        return self.said is not None and self.said is not self.cell.verdict


def verify(matrix: Matrix, running: Running, account: Account, stranger: Account) -> Iterator[Made]:
    """Make every call that can be made: not those that would write.

    `stranger` is another account, which grants its role everything. Raises OSError when nothing
    answers.
    """
    origins = _origins(matrix, running)
    with contextlib.ExitStack() as stack:
        signers: dict[Caller, Credentials | str | None] = {}
        anybody = stack.enter_context(_role(account, grants=False))
        foreigner = stack.enter_context(_role(stranger, grants=True))
        for cell in matrix.cells:
            if cell.caller not in signers:
                signers[cell.caller] = _signer(cell.caller, running, account, anybody, foreigner)
            yield _made(cell, signers[cell.caller], origins.get(cell.entrance.name), running)


def _made(
    cell: Cell, signer: Credentials | str | None, origin: str | None, running: Running
) -> Made:
    from backstairs.client import call

    question = cell.question
    api = next((one for one in running.apis if one.name == question.api.name), None)
    why_not = (
        signer
        if isinstance(signer, str)
        else f"no door is {cell.entrance.name}"
        if origin is None
        else f"{question.api.name} is not deployed here"
        if api is None
        else "it would write"
        if cell.verdict is Verdict.ALLOWED and question.method not in _READS
        else None
    )
    if why_not is not None or isinstance(signer, str) or api is None:
        return Made(cell, None, why_not or "")
    port = next(one.port for one in running.origins if one.name == origin)
    host = f"{api.api_id}.execute-api.{running.region}.amazonaws.com"
    path = f"{api.base}{question.path}"
    answer = call(port, question.method, path, host=host, region=running.region, credentials=signer)
    return Made(cell, *read(answer))


def read(answer: Answer) -> tuple[Verdict, str]:
    """Whether an answer let the caller in, and what it was."""
    kind = answer.headers.get("x-amzn-errortype", "")
    said = f"{answer.status} {kind}".strip()
    if kind == _UNKNOWN:
        return Verdict.UNKNOWN, said
    return (Verdict.REFUSED if kind in _REFUSALS else Verdict.ALLOWED), said


def _origins(matrix: Matrix, running: Running) -> dict[str, str]:
    """The door's name for each way in of the matrix that has one."""
    doors = [one.name for one in running.origins]
    declared = [one.name for one in matrix.application.endpoints]
    own = [name for name in doors if re.fullmatch(r"endpoint(-\d+)?", name)]
    found = dict(zip(declared, own, strict=False))
    found |= {entrances.OTHER_ENDPOINT: "another-endpoint", entrances.INTERNET: "internet"}
    return {name: door for name, door in found.items() if door in doors}


def _signer(
    caller: Caller,
    running: Running,
    account: Account,
    anybody: Callable[[], Credentials],
    foreigner: Callable[[], Credentials],
) -> Credentials | str | None:
    """Credentials of a caller; None for an anonymous one; why there are none."""
    from backstairs.account.functions import label_of

    if caller.with_key:
        return "no API key is at hand"
    if caller.principal is None:
        return None
    if caller.name == callers.THIS_ACCOUNT:
        return anybody()
    if caller.name == callers.OTHER_ACCOUNT:
        return foreigner()
    for function in caller.functions:
        arn = running.roles.get(label_of(function.rpartition("/")[2]))
        if arn is not None:
            return _assumed(account, arn)
    return f"nobody here runs as {caller.name}"


def _assumed(account: Account, role_arn: str) -> Credentials:
    from botocore.credentials import Credentials

    found = account.assume(role_arn, _ROLE)
    return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


@contextlib.contextmanager
def _role(account: Account, *, grants: bool) -> Iterator[Callable[[], Credentials]]:
    """A role of an account for as long as it is needed, which may do nothing, or everything."""
    iam = account.client("iam")
    trust = {"Principal": {"AWS": account.account_id}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=_ROLE, AssumeRolePolicyDocument=_allow(trust))["Role"]["Arn"]
    try:
        if grants:
            everything = _allow({"Action": "execute-api:Invoke", "Resource": "*"})
            iam.put_role_policy(RoleName=_ROLE, PolicyName=_ROLE, PolicyDocument=everything)
        yield lambda: _assumed(account, arn)
    finally:
        if grants:
            iam.delete_role_policy(RoleName=_ROLE, PolicyName=_ROLE)
        iam.delete_role(RoleName=_ROLE)


def _allow(statement: Mapping[str, object]) -> str:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    return json.dumps(document)


def told(made: Iterable[Made]) -> tuple[list[str], bool]:
    """Lines about the calls, each disagreement first, and whether all that were made agree.

    None made is no agreement: nothing was proved.
    """
    from backstairs.report.curl import curl
    from backstairs.report.formats import words

    done = list(made)
    wrong = [one for one in done if one.disagrees]
    lines = []
    for one in wrong:
        cell = one.cell
        call = f"{cell.caller.name}, {cell.question.label} of {cell.question.api.name}"
        says = f"the proof says {cell.verdict.value}, the answer is {one.answer}"
        lines += [
            f"{call}, from {cell.entrance.name}: {says}",
            f"  {words.reason(words.deciding(cell.decision))}",
            f"  {curl(cell)}",
        ]
    tried = sum(one.said is not None for one in done)
    lines.append(f"{tried} calls made: proof and answer agree on {tried - len(wrong)}.")
    skipped: dict[str, int] = {}
    for one in done:
        if one.said is None:
            skipped[one.answer] = skipped.get(one.answer, 0) + 1
    lines += [f"{count} not made: {why}." for why, count in skipped.items()]
    return lines, tried > 0 and not wrong
