"""The members service, as its consumers see it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from signing import path

if TYPE_CHECKING:
    from requests import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What a notification needs of a member; a name may be unknown."""

    name: str | None
    email: str


class UnknownMemberError(LookupError):
    """The members service does not know the member: there is nobody to notify."""


class UnreachableMemberError(LookupError):
    """The members service knows no e-mail address of the member."""


class InvalidAnswerError(Exception):
    """The answer is no member: the service is broken, and may be mended."""


def find(api: Session, member_id: str) -> Member:
    """Ask for a member.

    Raises UnknownMemberError and UnreachableMemberError, which asking again does not mend, and
    InvalidAnswerError and requests.RequestException, which it may.
    """
    response = api.get(path("members", member_id))
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise UnknownMemberError
    response.raise_for_status()
    answer = response.json()
    if not isinstance(answer, dict) or "email" not in answer:
        raise InvalidAnswerError
    name, email = answer.get("name"), answer["email"]
    if not isinstance(email, str):
        raise UnreachableMemberError
    return Member(name=name if isinstance(name, str) else None, email=email)
