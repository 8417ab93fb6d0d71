"""Headers in which a server may read who calls and from where: a caller's own never arrive."""

from __future__ import annotations

import pytest
from forwarder.headers import to_backend
from forwarder.settings import read

from tests.forwarder.subject import request

# As their makers document them, by who sets or reads them.
KNOWN = {
    "CGI, Apache, nginx": "Remote-User X-Remote-User Remote-Addr X-Remote-Addr X-Remote-IP "
    "Remote-Groups Remote-Name Remote-Email X-Authenticated-User X-Auth-User X-Username",
    "mod_ssl, HAProxy, nginx": "SSL-Client-Cert SSL-Client-S-DN X-SSL-Client-Cert "
    "SSL-Client-Verify X-SSL-Client-Verify X-SSL-Client-DN X-SSL-Client-CN X-SSL-Issuer "
    "X-SSL-Client-S-DN "
    "X-SSL-Client-Fingerprint X-Client-Cert X-Client-Verify X-Client-DN X-TLS-Client-Cert "
    "Client-Cert Client-Cert-Chain X-Forwarded-Client-Cert X-Forwarded-Tls-Client-Cert "
    "X-Forwarded-Tls-Client-Cert-Info X-Forwarded-SSL",
    "oauth2-proxy and its like": "X-Auth-Request-User X-Auth-Request-Email X-Auth-Request-Groups "
    "X-Auth-Request-Preferred-Username X-Auth-Request-Access-Token X-Forwarded-User "
    "X-Forwarded-Email X-Forwarded-Groups X-Forwarded-Preferred-Username X-Forwarded-Access-Token "
    "X-Auth-Username X-Auth-Email X-Auth-Groups X-Auth-Roles X-Auth-Subject X-Auth-Userid",
    "gates": "X-authentik-username X-authentik-groups X-authentik-email X-authentik-uid "
    "X-Pomerium-Claim-Email X-Pomerium-Jwt-Assertion X-Vouch-User X-Vouch-Idp-Claims-Groups "
    "Tailscale-User-Login Tailscale-User-Name OIDC-Claim-Sub OIDC_CLAIM_email MELLON_NAME_ID "
    "Shib-Identity-Provider Shib-Session-ID eppn persistent-id SM_USER SM-UniversalID iv-user "
    "iv-groups iv-creds OAM_REMOTE_USER CAS-User l5d-client-id",
    "Kong": "X-Consumer-ID X-Consumer-Username X-Consumer-Custom-ID X-Consumer-Groups "
    "X-Credential-Identifier X-Credential-Username X-Anonymous-Consumer X-Authenticated-Userid "
    "X-Authenticated-Scope X-Userinfo",
    "AWS": "X-Amzn-Oidc-Identity X-Amzn-Oidc-Data X-Amzn-Oidc-Accesstoken X-Amzn-Mtls-Clientcert "
    "X-Amzn-Mtls-Clientcert-Subject X-Amzn-Mtls-Clientcert-Leaf X-Amzn-Request-Context "
    "X-Amzn-Lambda-Context X-Apigateway-Event X-Apigateway-Context "
    "X-Amzn-Lattice-Identity X-Amzn-Lattice-Network X-Amzn-Ava-User-Context "
    "CloudFront-Viewer-Address CloudFront-Viewer-Country",
    "other clouds": "X-Goog-Authenticated-User-Email X-Goog-Authenticated-User-Id "
    "X-Goog-IAP-JWT-Assertion X-Appengine-User-Email X-Appengine-User-IP "
    "X-Apigateway-Api-Userinfo X-Endpoint-API-UserInfo X-MS-Client-Principal "
    "X-MS-Client-Principal-Id X-MS-Client-Principal-Name X-MS-Token-AAD-Id-Token "
    "X-ARR-ClientCert X-Azure-ClientIP X-Azure-SocketIP CF-Access-Authenticated-User-Email "
    "Cf-Access-Jwt-Assertion X-Envoy-Peer-Metadata X-Envoy-External-Address X-Envoy-Internal",
    "servers that take them": "X-WEBAUTH-USER X-WEBAUTH-EMAIL X-WEBAUTH-GROUPS Impersonate-User "
    "Impersonate-Group Impersonate-Uid X-Remote-Group X-Remote-Extra-Scopes X-Grafana-User "
    "X-Scope-OrgID THANOS-TENANT X-JWT-Assertion es-security-runas-user X-User-Id X-User-Name "
    "X-User-Domain-Id X-Project-Id X-Tenant-Id X-Roles X-Identity-Status X-User X-User-Email "
    "X-User-Roles X-Caller-Arn X-Caller-Key-Id X-Caller-Subject",
    "addresses": "Forwarded X-Forwarded-For X-Forwarded X-Forwarded-By X-Forwarded-Host "
    "X-Forwarded-Proto X-Forwarded-Port X-Forwarded-Prefix X-Forward-For X-Original-Forwarded-For "
    "Z-Forwarded-For Forwarded-For X-Real-IP X-Client-IP Client-IP True-Client-IP X-True-IP "
    "X-Cluster-Client-IP CF-Connecting-IP CF-Connecting-IPv6 CF-Pseudo-IPv4 Fastly-Client-IP "
    "Fly-Client-IP DO-Connecting-IP X-NF-Client-Connection-IP X-Vercel-Forwarded-For "
    "X-Vercel-IP-Country Incap-Client-IP X-Sucuri-ClientIP Ali-CDN-Real-IP X-Originating-IP "
    "X-Source-IP Source-IP Cdn-Src-Ip X-ProxyUser-IP X-Custom-IP-Authorization WL-Proxy-Client-IP "
    "Proxy-Client-IP WL-Proxy-SSL X-Akamai-Edgescape Akamai-Client-IP X-Coming-From Via "
    "X-Original-Method X-Original-Remote-User",
}
NAMES = sorted({name for names in KNOWN.values() for name in names.split()})


def arrived(*headers: tuple[str, str], **variables: str) -> list[tuple[str, str]]:
    """What goes on to the backend of what a caller sends."""
    dropped = read({"BACKEND_URL": "https://a.example", **variables}).dropped
    ours = to_backend(request(), dropped)
    return [pair for pair in to_backend(request(headers=headers), dropped) if pair not in ours]


def spellings(name: str) -> set[str]:
    """Names that a server which folds them, as CGI and WSGI do, takes for the same."""
    folded = name.replace("-", "_")
    return {name, name.lower(), name.upper(), folded, folded.lower(), name.replace("-", "_", 1)}


def test_there_are_as_many_as_are_known() -> None:
    """The list above is no shorter than what one finds in the documents."""
    assert len(NAMES) >= 150


@pytest.mark.parametrize("name", NAMES)
def test_no_caller_forges_who_calls_or_from_where(name: str) -> None:
    """In no spelling."""
    assert arrived(*((spelling, "forged") for spelling in spellings(name))) == []


@pytest.mark.parametrize(
    "name",
    [
        *("X-Auth-Token", "X-Auth-Key", "X-Auth-Signature", "X-Access-Token", "X-Request-Id"),
        *("X-Correlation-Id", "X-CSRF-Token", "X-Requested-With", "X-Amzn-Trace-Id", "traceparent"),
        *("X-User-Agent", "Idempotency-Key", "X-Tag", "Origin", "Referer", "X-GitHub-Event"),
        *("X-Hub-Signature-256", "Stripe-Signature", "If-Match", "X-Zip", "X-Ship", "X-Idp"),
    ],
)
def test_credentials_and_all_else_go_on(name: str) -> None:
    """What a backend checks, or takes for no more than what the caller says, is the caller's."""
    assert arrived((name, "theirs")) == [(name, "theirs")]


def test_more_names_by_configuration() -> None:
    """A variable adds names and families, whatever their spelling."""
    variables = {"BACKEND_DROPPED_HEADERS": "X-Acme-User, x_acme_team_*,"}
    headers = (("X_ACME_USER", "1"), ("X-Acme-Team-Id", "1"), ("X-Acme-Users", "1"))
    assert arrived(*headers, **variables) == [("X-Acme-Users", "1")]
    assert len(arrived(*headers)) == 3
