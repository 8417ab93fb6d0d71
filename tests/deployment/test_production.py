"""Production: a first deployment that fails leaves nothing behind, what stands keeps its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backstairs.local.deploy import STACK_NAME, StepError
from tests.deployment.deployment import TEMPLATE

if TYPE_CHECKING:
    from tests.deployment.deployment import Deployment

PRODUCTION = {"Stage": "prod", "AccessLogging": "set-up", "GradualDeployment": "true"}
TABLES = ("ClaimsTable", "NotificationsTable", "UndeliveredTable")
BROKEN = TEMPLATE.replace(
    "Outputs:\n",
    """  Broken:
    Type: AWS::Lambda::Function
    DependsOn: [ClaimsApiStage, ClaimChanges, Operation]
    Properties:
      Runtime: python3.13
      Handler: handler.handler
      Role: !GetAtt MembersFunctionRole.Arn
      Code: {ZipFile: "handler = None"}
      VpcConfig: {SubnetIds: [subnet-0123456789abcdef0], SecurityGroupIds: []}

Outputs:
""",
    1,
)


def tables(deployment: Deployment) -> list[str]:
    """The names of all tables."""
    names: list[str] = deployment.account.client("dynamodb").list_tables()["TableNames"]
    return names


@pytest.fixture(scope="module")
def failed(deployment: Deployment) -> Deployment:
    """A first deployment of production, into a new account, that fails at its end."""
    deployment.edit(
        "samconfig.toml",
        "[default.global.parameters]\n",
        '[default.global.parameters]\ntags = "team=claims"\n',
    )
    deployment.write("template.yaml", BROKEN)
    with pytest.raises(StepError, match="subnet-0123456789abcdef0"):
        deployment.deploy(parameters=PRODUCTION)
    return deployment


@pytest.fixture(scope="module")
def standing(failed: Deployment) -> Deployment:
    """Production, deployed after the failure."""
    failed.delete()
    failed.write("template.yaml", TEMPLATE)
    failed.deploy(parameters=PRODUCTION)
    return failed


def test_a_first_deployment_that_fails_leaves_no_tables(failed: Deployment) -> None:
    """Nothing that the next one, or a bill, would stumble over."""
    assert tables(failed) == []
    assert failed.account.client("sqs").list_queues().get("QueueUrls", []) == []
    assert failed.account.client("apigateway").get_rest_apis()["items"] == []


def test_production_needs_nothing_that_a_new_account_lacks(standing: Deployment) -> None:
    """The second try stands: access is logged, though nobody had set up the account for it."""
    account = standing.account
    role = account.client("apigateway").get_account()["cloudwatchRoleArn"]
    assert role
    api = account.physical_ids(STACK_NAME)["ClaimsApi"]
    stage = account.client("apigateway").get_stage(restApiId=api, stageName="prod")
    assert "$context.error.message" in stage["accessLogSettings"]["format"]


def test_a_teams_tags_are_on_everything(standing: Deployment) -> None:
    """They are the stack's, in samconfig.toml or by --tags; those of what it brings too."""
    account = standing.account
    names = account.physical_ids(STACK_NAME)
    operation = account.physical_ids(names["Operation"])
    functions = account.client("lambda")
    for name in (names["ClaimsFunction"], operation["PrunerFunction"]):
        arn = functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
        assert functions.list_tags(Resource=arn)["Tags"]["team"] == "claims"
    dynamodb = account.client("dynamodb")
    table = dynamodb.describe_table(TableName=names["ClaimsTable"])["Table"]["TableArn"]
    tags = dynamodb.list_tags_of_resource(ResourceArn=table)["Tags"]
    assert {"Key": "team", "Value": "claims"} in tags


def test_tables_can_be_protected_once_they_stand(standing: Deployment) -> None:
    """In place: they are the same ones; then nobody deletes them by mistake."""
    before = standing.account.physical_ids(STACK_NAME)
    standing.deploy(parameters={**PRODUCTION, "DeletionProtection": "true"})
    after = standing.account.physical_ids(STACK_NAME)
    client = standing.account.client("dynamodb")
    for name in TABLES:
        assert after[name] == before[name]
        table = client.describe_table(TableName=after[name])["Table"]
        assert table["DeletionProtectionEnabled"] is True
        with pytest.raises(client.exceptions.ClientError, match="protected against deletion"):
            client.delete_table(TableName=after[name])


def test_every_alarm_watches_something_that_is_there(standing: Deployment) -> None:
    """By the names that the account gave: functions, versions, tables, queue, APIs and stages."""
    account = standing.account
    names = account.physical_ids(STACK_NAME)
    functions = account.client("lambda").list_functions()["Functions"]
    known = {
        "FunctionName": {one["FunctionName"] for one in functions},
        "TableName": set(tables(standing)),
        "QueueName": {names["UndeliveredQueue"].rpartition("/")[2]},
        "ApiName": {one["name"] for one in account.client("apigateway").get_rest_apis()["items"]},
        "Stage": {"prod"},
        "Resource": {f"{one['FunctionName']}:live" for one in functions},
        "ExecutedVersion": {
            standing.live(name)["Version"] for name in ("ClaimsFunction", "MembersFunction")
        },
    }
    alarms = account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(alarms) > 15
    for alarm in alarms:
        for dimension in alarm["Dimensions"]:
            assert dimension["Value"] in known[dimension["Name"]], alarm["AlarmName"]
    (dashboard,) = account.client("cloudwatch").list_dashboards()["DashboardEntries"]
    body = account.client("cloudwatch").get_dashboard(DashboardName=dashboard["DashboardName"])
    assert names["ClaimsFunction"] in body["DashboardBody"]


def test_the_alarms_of_a_deployment_are_those_that_are_there(standing: Deployment) -> None:
    """CodeDeploy is told names, which exist in the stack of alarms."""
    account = standing.account
    operation = account.outputs(account.physical_ids(STACK_NAME)["Operation"])
    alarms = account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    existing = {alarm["AlarmName"] for alarm in alarms}
    assert {operation["ClaimsVersionAlarm"], operation["MembersVersionAlarm"]} <= existing


def test_data_stays_when_its_stack_goes(standing: Deployment) -> None:
    """Tables and queue, also without protection against mistakes."""
    standing.deploy(parameters={**PRODUCTION, "DeletionProtection": "false"})
    names = standing.account.physical_ids(STACK_NAME)
    standing.delete()
    assert set(tables(standing)) == {names[table] for table in TABLES}
    queues: list[Any] = standing.account.client("sqs").list_queues()["QueueUrls"]
    assert [url.rpartition("/")[2] for url in queues] == [
        names["UndeliveredQueue"].rpartition("/")[2]
    ]
