"""What can go wrong, in words that may stand in a stack's events.

- KeyStoreError: a reason for CloudFormation
  - RefusedError: the request or the account is not as it must be
  - FailedCallError: AWS refused a call, or did not answer
  - OutOfTimeError: the function would end before the next call does
- AnswerLostError: CloudFormation could not be told
"""

from __future__ import annotations


class KeyStoreError(Exception):
    """A reason for CloudFormation; never a value of a key."""


class RefusedError(KeyStoreError):
    """Somebody has to change something first."""


class FailedCallError(KeyStoreError):
    """A call to AWS failed; `code` is AWS's error code, or the kind of failure."""

    def __init__(self, call: str, code: str) -> None:
        super().__init__(f"{call} failed: {code}")
        self.code = code


class OutOfTimeError(KeyStoreError):
    """No time is left."""


class AnswerLostError(Exception):
    """Lambda shall bring the request again."""
