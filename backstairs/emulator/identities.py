"""Who an access key belongs to, and what every principal of every account may do.

Both read MiniStack's own stores across accounts; nothing here is kept.
"""

from __future__ import annotations

import datetime as dt
import json
import urllib.parse
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam, sts

from backstairs.emulator.settings import ACCOUNT_ID

JSON = dict[str, Any]


def access_key(access_key_id: str) -> JSON | None:
    """Describe the credentials of `access_key_id`, or None for a key that is unknown or inactive.

    An expired session is still described, with its `expiration` in the past: AWS tells its owner
    that it expired, not that it never was.
    """
    session = sts._sessions.get(access_key_id)
    if session is not None:
        return _session(session)
    if access_key_id.isdecimal() and iam_evaluator.is_root_access_key(access_key_id):
        account = access_key_id
    elif access_key_id == "":
        return None
    else:
        try:
            account = iam_evaluator.find_iam_access_key_account(access_key_id) or ACCOUNT_ID
        except iam_evaluator.AmbiguousAccessKeyError:
            return None
    found = iam_evaluator.resolve_credential(access_key_id, account)
    if isinstance(found, iam_evaluator.CredentialResolutionError):
        return None
    return {
        "secretAccessKey": found.secret_access_key,
        "sessionToken": found.session_token,
        "principalArn": found.principal_arn,
        "principalType": found.principal_type,
        "roleArn": None,
        "account": found.account_id,
        "userId": found.principal_id,
        "expiration": None,
        "sessionPolicies": None,
        "sessionTags": {},
    }


def _session(session: JSON) -> JSON:
    account = session["AccountId"]
    arn = session["Arn"]
    role = None
    if session["PrincipalType"] == "AssumedRole":
        role = iam._roles.get_scoped(account, None, arn.split("/")[-2])
    expires = dt.datetime.fromtimestamp(session["Expiration"], dt.UTC)
    return {
        "secretAccessKey": session["SecretAccessKey"],
        "sessionToken": session["SessionToken"],
        "principalArn": arn,
        "principalType": session["PrincipalType"],
        "roleArn": role["Arn"] if role else None,
        "account": account,
        "userId": session["UserId"],
        "expiration": expires.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "sessionPolicies": _session_policies(session.get("SessionPolicies"), account),
        "sessionTags": _tags(session.get("SessionTags")),
    }


def _session_policies(passed: JSON | None, account: str) -> list[JSON] | None:
    """The policies given to AssumeRole; None (not limited) differs from none of them granting."""
    if passed is None:
        return None
    inline = [_policy(None, None, passed["Policy"])] if passed.get("Policy") else []
    return inline + [_managed(arn, account) for arn in passed.get("PolicyArns", [])]


def principals() -> list[JSON]:
    """Every role and user of every account with its policies, decoded, in a stable order."""
    roles = [_role(account, role) for (account, _), role in list(iam._roles._data.items())]
    users = [_user(account, user) for (account, _), user in list(iam._users._data.items())]
    return sorted(roles + users, key=lambda principal: str(principal["arn"]))


def _role(account: str, role: JSON) -> JSON:
    return {
        **_principal("role", account, role, role["RoleName"], role["RoleId"]),
        "trustPolicy": _document(role.get("AssumeRolePolicyDocument")),
        "policies": _policies(role.get("InlinePolicies"), role.get("AttachedPolicies"), account),
    }


def _user(account: str, user: JSON) -> JSON:
    name = user["UserName"]
    policies = _policies(
        iam._user_inline_policies.get_scoped(account, None, name),
        user.get("AttachedPolicies"),
        account,
    )
    for (owner, group_name), group in list(iam._groups._data.items()):
        if owner == account and name in group.get("Users", []):
            inline = iam._group_inline_policies.get_scoped(account, None, group_name)
            policies += _policies(inline, group.get("AttachedPolicies"), account)
    return {
        **_principal("user", account, user, name, user["UserId"]),
        "trustPolicy": None,
        "policies": policies,
    }


def _principal(kind: str, account: str, record: JSON, name: str, unique_id: str) -> JSON:
    boundary = record.get("PermissionsBoundary")
    if isinstance(boundary, dict):
        boundary = boundary.get("PermissionsBoundaryArn")
    return {
        "type": kind,
        "arn": record["Arn"],
        "account": account,
        "name": name,
        "id": unique_id,
        "tags": _tags(record.get("Tags")),
        "permissionsBoundary": _managed(boundary, account) if boundary else None,
    }


def _policies(inline: JSON | None, attached: list[str] | None, account: str) -> list[JSON]:
    own = [_policy(name, None, document) for name, document in (inline or {}).items()]
    return own + [_managed(arn, account) for arn in attached or []]


def _managed(arn: str, account: str) -> JSON:
    document = iam_evaluator._resolve_managed_policy_document(arn, account)
    return _policy(arn.rsplit("/", 1)[-1], arn, document)


def _policy(name: str | None, arn: str | None, document: object) -> JSON:
    """`arn` is None for an inline policy; `document` is None when it cannot be read."""
    return {"name": name, "arn": arn, "document": _document(document)}


def _document(stored: object) -> JSON | None:
    """Decode a policy that MiniStack keeps as a dict, as JSON, or as JSON in percent-encoding."""
    if isinstance(stored, dict):
        return stored
    if not isinstance(stored, str) or not stored:
        return None
    try:
        decoded = json.loads(stored if stored.lstrip()[:1] == "{" else urllib.parse.unquote(stored))
    except ValueError:
        return None
    return decoded if isinstance(decoded, dict) else None


def _tags(tags: list[JSON] | None) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in tags or []}
