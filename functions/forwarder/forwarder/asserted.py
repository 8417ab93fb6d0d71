"""Names of headers in which only a proxy may say who calls and from where, and what CGI makes odd.

A backend that believes one of them believes whoever sent it, unless what stands before it sets it
or takes it away. Names are plain: lower case, a dash for all that is neither letter nor digit,
since servers that make variables of names fold these (RFC 3875, 4.1.18).

Source: the documentation of who sets them. Proxies and servers: nginx, Apache (mod_ssl,
mod_remoteip, mod_auth_openidc, mod_auth_mellon), HAProxy, Traefik, Envoy, Kong, IIS, WebLogic.
Gates: oauth2-proxy, Authelia, authentik, Pomerium, Vouch, Keycloak Gatekeeper, Shibboleth,
SiteMinder, WebSEAL, Oracle Access Manager. Clouds: Elastic Load Balancing, CloudFront, VPC
Lattice, Google IAP and App Engine, Azure App Service and Front Door, Cloudflare, Fastly, Akamai,
Fly, Vercel, Netlify, Tailscale. Servers that take them: Grafana, Gitea, Kubernetes, Keystone,
Loki, Mimir, Thanos, WSO2, Linkerd, serverless-express. And RFC 7239, RFC 9440.
"""

from __future__ import annotations

FAMILIES = (
    # Whatever a proxy in front says: address, host, port, prefix, user, groups, certificate.
    *("x-forward", "forwarded", "z-forwarded", "x-original-"),
    # The forwarder's own.
    "x-caller-",
    # Users.
    *("remote-", "x-remote-", "x-auth-request-", "x-auth-user", "x-auth-email", "x-auth-group"),
    *("x-auth-role", "x-auth-subject", "x-auth-name", "x-auth-audience", "x-auth-preferred"),
    *("x-authenticated-", "x-authentik-", "x-consumer-", "x-credential-", "x-user", "x-webauth-"),
    *("webauth-", "x-pomerium-", "x-vouch-", "tailscale-", "impersonate-", "x-grafana-"),
    *("shib-", "x-shib-", "oidc-", "x-oidc-", "mellon-", "sm-", "iv-", "oam-", "x-jwt-"),
    *("x-role", "x-group", "x-tenant", "x-project-", "x-domain-", "x-identity-", "x-principal"),
    # Certificates.
    *("ssl-", "x-ssl-", "x-tls-", "client-cert", "x-client-", "x-arr-"),
    # Clouds and what delivers content.
    *(
        "x-apigateway-",
        "x-amzn-",
        "cloudfront-",
        "x-goog-authenticated-",
        "x-goog-iap-",
        "x-appengine-",
    ),
    *("x-ms-client-principal", "x-ms-token-", "x-azure-", "cf-", "fastly-", "akamai-"),
    *("x-akamai-", "fly-", "x-vercel-", "x-nf-", "incap-", "x-sucuri-", "x-envoy-", "x-istio-"),
    "l5d-",
    "wl-proxy-",
)

ENDINGS = ("-ip", "-ipv4", "-ipv6", "-clientip", "-real-addr", "-remote-addr", "-forwarded-for")

NAMES = frozenset(
    {
        *("via", "cdn-loop", "client-ip", "user-ip", "x-host", "x-coming-from", "x-peer-address"),
        *("x-rewrite-url", "x-real-port"),
        *("x-custom-ip-authorization", "x-proxy-user", "x-username", "x-account-id", "x-email"),
        *(
            "x-authenticated",
            "x-anonymous-consumer",
            "x-is-admin-project",
            "x-endpoint-api-userinfo",
        ),
        *("x-scope-orgid", "thanos-tenant", "x-service-catalog"),
        *("x-trust-id", "es-security-runas-user", "cas-user", "eppn", "persistent-id", "x-org-id"),
        *("x-organization-id", "x-subject", "x-impersonate-user", "x-run-as", "x-on-behalf-of"),
        *("x-admin", "x-is-admin", "x-internal", "x-trusted-proxy", "x-service-account"),
    }
)

PASSED = frozenset({"x-amzn-trace-id", "x-user-agent"})
"""Of the families, and harmless: whoever sends them says nothing of himself."""


_DASHES = {code: "-" for code in range(128) if not chr(code).isalnum()}


def plain(name: str) -> str:
    """A header's name as servers that fold names read it."""
    return name.lower().translate(_DASHES)


def is_asserted(name: str) -> bool:
    """Whether a plain name says what only a proxy may say."""
    return name not in PASSED and (
        name in NAMES or name.startswith(FAMILIES) or name.endswith(ENDINGS)
    )
