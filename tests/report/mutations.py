"""Changes of our own templates that open or close access, and whose."""

from __future__ import annotations

from dataclasses import dataclass

APPLICATION, NETWORK = "template.yaml", "stacks/network.yaml"
ENDPOINT, OTHER, INTERNET = "Network/ExecuteApiEndpoint", "another VPC's endpoint", "the internet"
NOTIFIER, ANYBODY, STRANGER, ANONYMOUS = (
    "NotifierFunction",
    "anybody in this account",
    "another account",
    "anonymous",
)
MEMBERS, CREATE, TYPES = "GET /members/{memberId}", "POST /claims/{memberId}", "GET /claim-types"
CLAIMS_API, REFERENCE_API = "ClaimsApi", "ReferenceApi"

DENY_ENDPOINT = """\
            - Effect: Deny
              Principal: "*"
              Action: execute-api:Invoke
              Resource: execute-api:/*
              Condition:
                StringNotEquals: {aws:SourceVpce: !GetAtt Network.Outputs.ExecuteApiEndpointId}
"""
DENY_ACCOUNT = """\
            - Effect: Deny
              Principal: "*"
              Action: execute-api:Invoke
              Resource: execute-api:/*
              Condition:
                StringNotEquals: {aws:PrincipalAccount: !Ref AWS::AccountId}
"""
CUSTOM = f"          CustomStatements:\n{DENY_ENDPOINT}{DENY_ACCOUNT}"
OUR_ENDPOINT = "!GetAtt Network.Outputs.ExecuteApiEndpointId"
WHITELIST = f"IntrinsicVpceWhitelist: [{OUR_ENDPOINT}]"
GRANT = "execute-api:${AWS::Region}:${AWS::AccountId}:*/${Stage}/GET/members/*"
NOTIFIER_GRANT = f"""\
            - Effect: Allow
              Action: execute-api:Invoke
              # Any API, this one route: a consumer in another stack need not know the API's id.
              Resource: !Sub arn:${{AWS::Partition}}:{GRANT}
"""
CLAIMS_POLICIES = """\
              Action: [dynamodb:GetItem, dynamodb:PutItem, dynamodb:UpdateItem]
              Resource: !GetAtt ClaimsTable.Arn
"""
ENDPOINT_ALLOW = """\
            Action: execute-api:Invoke
            Resource: !Sub arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:*
            Condition:
              StringEqualsIfExists:
                aws:PrincipalAccount: !Ref AWS::AccountId
"""
MEMBERS_POLICY = """\
        - Statement:
            - {Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt ClaimsTable.Arn}
"""
AWS_MANAGED = "arn:aws:iam::aws:policy/AmazonAPIGatewayInvokeFullAccess"
REFERENCE_AUTH = f"      Auth:\n        ResourcePolicy:\n          {WHITELIST}\n"
BOUNDARY = """\
    Description: Managed policy that bounds every role of this stack; empty for none
    Type: String
    Default: ""
"""
AUTHORIZER = "        DefaultAuthorizer: AWS_IAM\n"
COGNITO = """\
        DefaultAuthorizer: Users
        Authorizers:
          Users:
            UserPoolArn: arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_a
"""
CALLS = 'PolicyDocument: {Statement: [{Effect: Allow, Action: "execute-api:*", Resource: "*"}]}'
PEERING = """
  Peering:
    Type: AWS::EC2::VPCPeeringConnection
    Condition: CreatesNetwork
    Properties: {VpcId: !Ref Vpc, PeerVpcId: vpc-0ff1ce}
  RouteToOffice:
    Type: AWS::EC2::Route
    Condition: CreatesNetwork
    Properties:
      RouteTableId: !Ref PrivateRouteTable
      DestinationCidrBlock: 10.99.0.0/16
      VpcPeeringConnectionId: !Ref Peering
  EndpointFromOffice:
    Type: AWS::EC2::SecurityGroupIngress
    Condition: CreatesNetwork
    Properties:
      GroupId: !Ref EndpointSecurityGroup
      IpProtocol: tcp
      FromPort: 443
      ToPort: 443
      CidrIp: 10.99.0.0/16

Outputs:
"""
GET_MEMBERS = 'Properties: {RestApiId: !Ref ClaimsApi, Method: GET, Path: "/members/{memberId}"}'


@dataclass(frozen=True, slots=True)
class Call:
    """One that is decided otherwise after a change."""

    who: str
    what: str = MEMBERS
    api: str = CLAIMS_API
    where: str = ENDPOINT


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change of a template's text, and a call that it opens and one that it closes, or either."""

    name: str
    old: str
    new: str
    opens: Call | None = None
    closes: Call | None = None
    file: str = APPLICATION


def deny(condition: str) -> str:
    """Our own first statement with another condition."""
    return DENY_ENDPOINT.replace(DENY_ENDPOINT.splitlines()[-1].strip(), condition)


def allowing(principal: str) -> str:
    """An Allow in front of ours."""
    return (
        f"          CustomStatements:\n            - Effect: Allow\n"
        f"              Principal: {principal}\n              Action: execute-api:Invoke\n"
        f"              Resource: execute-api:/*\n{DENY_ENDPOINT}{DENY_ACCOUNT}"
    )


def granting(*lines: str) -> str:
    """A statement more in the claims function's policy."""
    return CLAIMS_POLICIES + "".join(f"            {line}\n" for line in lines)


def event(kind: str, properties: str) -> str:
    """The members function's event, and another one."""
    return f"{GET_MEMBERS}\n        More:\n          {kind}\n          Properties: {{{properties}}}"


def resource(text: str) -> str:
    """A resource more."""
    return f"{text}\n  ServiceLayer:\n"


READER = "ClaimsFunction"
EVERY_GET = "!Sub arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:*/${Stage}/GET/members/*"
NOTIFIER_ELSEWHERE = Call(NOTIFIER, where=OTHER)
CLOSED = Call(NOTIFIER)
TYPES_BY_ANYBODY = Call(ANYBODY, TYPES, REFERENCE_API)
TYPES_UNSIGNED = Call(ANONYMOUS, TYPES, REFERENCE_API)
TYPES_BY_STRANGER = Call(STRANGER, TYPES, REFERENCE_API)

MUTATIONS = [
    # The claims API's own policy.
    Mutation("the whitelist in its place", CUSTOM, f"          {WHITELIST}\n", Call(ANYBODY)),
    Mutation("the whitelist beside it", CUSTOM, f"          {WHITELIST}\n{CUSTOM}", Call(ANYBODY)),
    Mutation("the endpoint's Deny is gone", DENY_ENDPOINT, "", NOTIFIER_ELSEWHERE),
    Mutation(
        "the Deny the other way round",
        DENY_ENDPOINT,
        DENY_ENDPOINT.replace("StringNotEquals", "StringEquals"),
        NOTIFIER_ELSEWHERE,
        CLOSED,
    ),
    Mutation(
        "a misspelt key",
        DENY_ENDPOINT,
        DENY_ENDPOINT.replace("aws:SourceVpce", "aws:SourceVpceId"),
        NOTIFIER_ELSEWHERE,
        CLOSED,
    ),
    Mutation(
        "a misspelt operator",
        DENY_ENDPOINT,
        DENY_ENDPOINT.replace("StringNotEquals", "StringNotEqual"),
        NOTIFIER_ELSEWHERE,
        CLOSED,
    ),
    Mutation(
        "a misspelt action",
        DENY_ENDPOINT,
        DENY_ENDPOINT.replace("Invoke", "Invok"),
        NOTIFIER_ELSEWHERE,
    ),
    Mutation(
        "the Deny for one verb alone",
        DENY_ENDPOINT,
        DENY_ENDPOINT.replace("execute-api:/*", "execute-api:/*/POST/*"),
        NOTIFIER_ELSEWHERE,
    ),
    Mutation(
        "the Deny for one principal alone",
        DENY_ENDPOINT,
        DENY_ENDPOINT.replace('"*"', '{AWS: !Sub "arn:aws:iam::${AWS::AccountId}:role/old"}'),
        NOTIFIER_ELSEWHERE,
    ),
    Mutation(
        "the Deny is an Allow",
        DENY_ENDPOINT,
        DENY_ENDPOINT.replace("Deny", "Allow"),
        Call(ANYBODY, where=OTHER),
    ),
    Mutation(
        "a second endpoint",
        DENY_ENDPOINT,
        deny(f"StringNotEquals: {{aws:SourceVpce: [{OUR_ENDPOINT}, vpce-0d]}}"),
        Call(NOTIFIER, where="vpce-0d"),
    ),
    Mutation(
        "any endpoint of one VPC",
        DENY_ENDPOINT,
        deny("StringNotEquals: {aws:SourceVpc: vpc-0e}"),
        Call(NOTIFIER, where="an endpoint of vpc-0e"),
        CLOSED,
    ),
    Mutation(
        "endpoints by a pattern",
        DENY_ENDPOINT,
        deny('StringNotLike: {aws:SourceVpce: "vpce-*"}'),
        NOTIFIER_ELSEWHERE,
    ),
    Mutation(
        "IfExists on the Deny's opposite",
        DENY_ENDPOINT,
        deny(
            "StringEqualsIfExists: {aws:SourceVpce: !GetAtt Network.Outputs.ExecuteApiEndpointId}"
        ),
        NOTIFIER_ELSEWHERE,
        CLOSED,
    ),
    Mutation("a Deny of everything", DENY_ENDPOINT, deny("{}"), closes=CLOSED),
    Mutation(
        "a Deny of one member",
        DENY_ENDPOINT,
        DENY_ENDPOINT + deny("{}").replace("/*", "/*/GET/members/m-1"),
        closes=Call(NOTIFIER, "GET /members/m-1"),
    ),
    Mutation(
        "another account's number",
        DENY_ACCOUNT,
        DENY_ACCOUNT.replace("!Ref AWS::AccountId", '"210987654321"'),
        closes=CLOSED,
    ),
    Mutation(
        "from some addresses alone",
        DENY_ENDPOINT,
        DENY_ENDPOINT + deny("NotIpAddress: {aws:VpcSourceIp: 10.9.0.0/16}"),
        closes=CLOSED,
    ),
    Mutation("an Allow for everybody", CUSTOM, allowing('"*"'), Call(ANYBODY, CREATE)),
    Mutation(
        "an Allow for the account",
        CUSTOM,
        allowing('{AWS: !Sub "arn:aws:iam::${AWS::AccountId}:role/audit"}'),
        Call("arn:aws:iam::123456789012:role/audit", CREATE),
    ),
    # How its routes ask who calls.
    Mutation("no authorization", AUTHORIZER, "", closes=CLOSED),
    Mutation(
        "one route without authorization",
        GET_MEMBERS,
        f"{GET_MEMBERS[:-1]}, Auth: {{Authorizer: NONE}}}}",
        closes=CLOSED,
    ),
    Mutation(
        "an API key on every route",
        AUTHORIZER,
        f"{AUTHORIZER}        ApiKeyRequired: true\n",
        Call(f"{NOTIFIER} with an API key"),
        CLOSED,
    ),
    Mutation(
        "a Cognito authorizer",
        AUTHORIZER,
        COGNITO,
        closes=CLOSED,
    ),
    # Grants.
    Mutation(
        "a grant for every path",
        GRANT,
        GRANT.replace("members/*", "*"),
        Call(NOTIFIER, "GET /claims/{memberId}"),
    ),
    Mutation(
        "a grant for every verb", GRANT, GRANT.replace("GET/members/*", "*"), Call(NOTIFIER, CREATE)
    ),
    Mutation(
        "a grant for everything", f"arn:${{AWS::Partition}}:{GRANT}", '"*"', Call(NOTIFIER, CREATE)
    ),
    Mutation(
        "a grant for one member",
        GRANT,
        GRANT.replace("members/*", "members/m-1"),
        closes=CLOSED,
    ),
    Mutation("a grant for another stage", GRANT, GRANT.replace("${Stage}", "live"), closes=CLOSED),
    Mutation("a grant for another verb", GRANT, GRANT.replace("GET", "PUT"), closes=CLOSED),
    Mutation(
        "a grant for another region",
        GRANT,
        GRANT.replace("${AWS::Region}", "eu-west-1"),
        closes=CLOSED,
    ),
    Mutation("the grant is gone", NOTIFIER_GRANT, "", closes=CLOSED),
    Mutation(
        "the grant is a Deny",
        NOTIFIER_GRANT,
        NOTIFIER_GRANT.replace("Allow", "Deny"),
        closes=CLOSED,
    ),
    Mutation(
        "the grant is for another service",
        NOTIFIER_GRANT,
        NOTIFIER_GRANT.replace("execute-api:Invoke\n", "execute-api:ManageConnections\n"),
        closes=CLOSED,
    ),
    Mutation(
        "the grant under a condition",
        NOTIFIER_GRANT,
        NOTIFIER_GRANT + "              Condition: {StringEquals: {aws:SourceVpce: vpce-0f}}\n",
        closes=CLOSED,
    ),
    Mutation(
        "a grant more",
        CLAIMS_POLICIES,
        granting(
            f"- {{Effect: Allow, Action: execute-api:Invoke, Resource: {EVERY_GET}}}".replace(
                "!Sub arn", '!Sub "arn'
            ).replace("/*}", '/*"}')
        ),
        Call(READER),
    ),
    Mutation(
        "a grant of every action",
        CLAIMS_POLICIES,
        granting('- {Effect: Allow, Action: "*", Resource: "*"}'),
        Call(READER, CREATE),
    ),
    Mutation(
        "a grant of all but something",
        CLAIMS_POLICIES,
        granting('- {Effect: Allow, NotAction: "s3:*", Resource: "*"}'),
        Call(READER, CREATE),
    ),
    Mutation(
        "a grant for all but something",
        CLAIMS_POLICIES,
        granting(
            "- Effect: Allow",
            '  Action: "execute-api:*"',
            '  NotResource: "arn:aws:execute-api:*:*:*/*/DELETE/*"',
        ),
        Call(READER, CREATE),
    ),
    Mutation(
        "a grant for one path more",
        CLAIMS_POLICIES,
        granting(
            "- Effect: Allow",
            "  Action: execute-api:Invoke",
            '  Resource: "arn:aws:execute-api:*:*:*/*/GET/members/m-7"',
        ),
        Call(READER, "GET /members/m-7"),
    ),
    Mutation(
        "a managed policy of AWS's",
        f"      Policies:\n{MEMBERS_POLICY}",
        f"      Policies:\n        - {AWS_MANAGED}\n{MEMBERS_POLICY}",
        Call("MembersFunction", CREATE),
    ),
    Mutation(
        "a role more",
        "\n  ServiceLayer:\n",
        resource(
            """
  AuditRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {AWS: !Ref AWS::AccountId}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: calls
          PolicyDocument: {Statement: [{Effect: Allow, Action: execute-api:Invoke, Resource: "*"}]}
"""
        ),
        Call("AuditRole", CREATE),
    ),
    Mutation(
        "a user more",
        "\n  ServiceLayer:\n",
        resource(
            """
  AuditUser:
    Type: AWS::IAM::User
    Properties:
      Policies:
        - PolicyName: calls
          PolicyDocument: {Statement: [{Effect: Allow, Action: execute-api:Invoke, Resource: "*"}]}
"""
        ),
        Call("AuditUser"),
    ),
    Mutation(
        "a managed policy of one's own",
        "\n  ServiceLayer:\n",
        resource(
            """
  Calls:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Roles: [!Ref ClaimTypesFunctionRole]
      PolicyDocument: {Statement: [{Effect: Allow, Action: execute-api:Invoke, Resource: "*"}]}
"""
        ),
        Call("ClaimTypesFunction", CREATE),
    ),
    Mutation(
        "a boundary that nobody has read",
        BOUNDARY,
        BOUNDARY.replace('""', "arn:aws:iam::123456789012:policy/bounds"),
        closes=CLOSED,
    ),
    # The reference API.
    Mutation(
        "another endpoint's whitelist",
        f"          {WHITELIST}",
        "          IntrinsicVpceWhitelist: [vpce-0d]",
        Call(ANONYMOUS, TYPES, REFERENCE_API, "vpce-0d"),
        TYPES_UNSIGNED,
    ),
    Mutation(
        "a whitelist of two endpoints",
        f"          {WHITELIST}",
        f"          {WHITELIST[:-1]}, vpce-0d]",
        Call(ANYBODY, TYPES, REFERENCE_API, "vpce-0d"),
    ),
    Mutation(
        "a whitelist of a VPC",
        f"          {WHITELIST}",
        "          IntrinsicVpcWhitelist: [vpc-0e]",
        Call(ANONYMOUS, TYPES, REFERENCE_API, "an endpoint of vpc-0e"),
        TYPES_UNSIGNED,
    ),
    Mutation(
        "an API without a policy",
        REFERENCE_AUTH,
        "",
        closes=TYPES_BY_ANYBODY,
    ),
    Mutation(
        "a public API without a policy",
        REFERENCE_AUTH,
        "      EndpointConfiguration: {Type: REGIONAL}\n",
        Call(ANONYMOUS, TYPES, REFERENCE_API, INTERNET),
        TYPES_UNSIGNED,
    ),
    Mutation(
        "a public API with the whitelist",
        REFERENCE_AUTH,
        f"      EndpointConfiguration: {{Type: REGIONAL}}\n{REFERENCE_AUTH}",
        closes=TYPES_BY_ANYBODY,
    ),
    Mutation(
        "a signature asked for",
        REFERENCE_AUTH,
        REFERENCE_AUTH.replace("      Auth:\n", f"      Auth:\n{AUTHORIZER}"),
        closes=TYPES_UNSIGNED,
    ),
    # Routes more.
    Mutation(
        "a route below a grant",
        GET_MEMBERS,
        event("Type: Api", 'RestApiId: !Ref ClaimsApi, Method: GET, Path: "/members/{id}/claims"'),
        Call(NOTIFIER, "GET /members/{id}/claims"),
    ),
    Mutation(
        "a greedy route below a grant",
        GET_MEMBERS,
        event("Type: Api", 'RestApiId: !Ref ClaimsApi, Method: ANY, Path: "/members/{id}/{any+}"'),
        Call(NOTIFIER, "GET /members/~any/~any"),
    ),
    Mutation(
        "a public HTTP API beside",
        GET_MEMBERS,
        event("Type: HttpApi", "Method: GET, Path: /open"),
        Call(ANONYMOUS, "GET /open", "ServerlessHttpApi", INTERNET),
    ),
    # The endpoint.
    Mutation(
        "every account's signature passes the endpoint",
        ENDPOINT_ALLOW,
        "".join(ENDPOINT_ALLOW.splitlines(keepends=True)[:2]),
        TYPES_BY_STRANGER,
        file=NETWORK,
    ),
    Mutation(
        "the endpoint asks for a signature",
        ENDPOINT_ALLOW,
        ENDPOINT_ALLOW.replace("IfExists", ""),
        closes=TYPES_UNSIGNED,
        file=NETWORK,
    ),
    Mutation(
        "the endpoint lets through one route",
        ENDPOINT_ALLOW,
        ENDPOINT_ALLOW.replace("AccountId}:*", "AccountId}:*/*/GET/members/*", 1),
        closes=TYPES_BY_ANYBODY,
        file=NETWORK,
    ),
    Mutation(
        "the endpoint lets through another account",
        ENDPOINT_ALLOW,
        ENDPOINT_ALLOW.replace(
            "PrincipalAccount: !Ref AWS::AccountId", 'PrincipalAccount: "210987654321"'
        ),
        Call("account 210987654321", TYPES, REFERENCE_API),
        CLOSED,
        file=NETWORK,
    ),
    Mutation(
        "the endpoint denies all",
        ENDPOINT_ALLOW,
        ENDPOINT_ALLOW + '          - {Effect: Deny, Principal: "*", Action: "*", Resource: "*"}\n',
        closes=CLOSED,
        file=NETWORK,
    ),
    Mutation(
        "the endpoint lets through nothing of API Gateway's",
        ENDPOINT_ALLOW,
        ENDPOINT_ALLOW.replace("execute-api:Invoke", "s3:GetObject"),
        closes=CLOSED,
        file=NETWORK,
    ),
    Mutation(
        "a peered VPC that reaches the endpoint",
        "\nOutputs:\n",
        PEERING,
        Call(ANONYMOUS, TYPES, REFERENCE_API, f"vpc-0ff1ce by {ENDPOINT}"),
        file=NETWORK,
    ),
]
