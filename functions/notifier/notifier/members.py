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
    """What a notification needs of a member."""

    member_id: str
    name: str
    email: str


class UnknownMemberError(LookupError):
    """The members service does not know the member: there is nobody to notify."""


def find(api: Session, member_id: str) -> Member:
    """Ask for a member.

    Raises UnknownMemberError, and requests.RequestException where no answer is to be had.
    """
    response = api.get(path("members", member_id))
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise UnknownMemberError
    response.raise_for_status()
    answer = response.json()
    return Member(member_id=answer["memberId"], name=answer["name"], email=answer["email"])
