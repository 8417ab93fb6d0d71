"""AWS's managed policies, as far as they say who may call an API or invoke a function.

Of each policy here only the statements that can match `execute-api` actions or `lambda:Invoke*`
are kept; `NOT_TOUCHING` names common ones that have no such statement. Every other policy of
AWS's is unknown, by its name: AWS has some 1,500 of them, changes them, and adds more.

Source: the default versions of all policies of the partition `aws` at `AS_OF`, as the public
archive github.com/zoph-io/MAMIP keeps them day by day; each policy's page in the AWS Managed Policy
Reference has the version of today, which may say something else. In other partitions they are
unknown: nobody here has read them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from backstairs.access import Unresolved

if TYPE_CHECKING:
    from collections.abc import Mapping

AS_OF = "2026-03-07"

_Statements = list[dict[str, Any]]

_ARN = re.compile(r"arn:([^:]+):iam::aws:policy/(?:[^:]+/)?([\w+=,.@-]+)", re.ASCII)


def managed_document(arn: str | Unresolved) -> dict[str, Any] | Unresolved | None:
    """What a managed policy that is not in the template says of APIs and functions.

    None: nothing at all. `Unresolved`: it is not known.
    """
    if isinstance(arn, Unresolved):
        return arn
    found = _ARN.fullmatch(arn)
    if found is None:
        return Unresolved(f"{arn} is not in the template")
    partition, name = found.groups()
    if partition == "aws" and name in NOT_TOUCHING:
        return None
    if partition == "aws" and name in TOUCHING:
        return {"Version": "2012-10-17", "Statement": TOUCHING[name]}
    return Unresolved(f"what {arn} allows is not known")


def _allow(
    actions: str | list[str], resources: str | list[str], conditions: Any = None
) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": conditions} if conditions else {})


def _invoke(*functions: str, conditions: Any = None) -> _Statements:
    """Invoking the functions with such names."""
    arns = [f"arn:aws:lambda:*:*:function:{name}" for name in functions]
    return [_allow("lambda:InvokeFunction", arns, conditions)]


_INVOKE_ANY = [_allow("lambda:InvokeFunction", "*")]
_HOOKS = _invoke("CodeDeployHook_*")
_SSM = _invoke("SSM*", "*:SSM*")
_SAGEMAKER = ("*SageMaker*", "*sagemaker*", "*Sagemaker*")
_LABELING = "*LabelingFunction*"
_CALL = ["execute-api:Invoke", "execute-api:ManageConnections"]
_BY_CLOUDFORMATION = {
    "ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}
}
_OF_ACCOUNT = {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}
_METRICS = "arn:aws:execute-api:us-east-1:098862408343:9xpmnvs5h4/prod/POST/metrics"
_MIGRATION = [
    _allow(
        _CALL, [f"arn:aws:execute-api:*:*:*/prod/*/put-{what}-data" for what in ("log", "metric")]
    )
]

TOUCHING: Mapping[str, _Statements] = {
    "AdministratorAccess": [_allow("*", "*")],
    "AdministratorAccess-Amplify": [
        _allow(["lambda:InvokeAsync", "lambda:InvokeFunction"], "*", _BY_CLOUDFORMATION),
        *_INVOKE_ANY,
    ],
    "AmazonAPIGatewayInvokeFullAccess": [_allow(_CALL, "arn:aws:execute-api:*:*:*")],
    "AmazonDynamoDBFullAccesswithDataPipeline": [_allow("lambda:*", "*")],
    "AmazonLaunchWizardFullAccessV2": _invoke("LaunchWizard*"),
    "AmazonRedshiftAllCommandsFullAccess": _invoke("*redshift*"),
    "AmazonSSMAutomationRole": _invoke("Automation*"),
    "AmazonSSMMaintenanceWindowRole": _SSM,
    "AmazonSSMServiceRolePolicy": _SSM,
    "AmazonSageMakerAdmin-ServiceCatalogProductsServiceRolePolicy": _invoke("sagemaker-*"),
    "AmazonSageMakerFullAccess": _invoke(*_SAGEMAKER, _LABELING),
    "AmazonSageMakerGroundTruthExecution": _invoke("*GtRecipe*", _LABELING, *_SAGEMAKER),
    "AmazonSageMakerPipelinesIntegrations": _invoke("*sagemaker*", "*sageMaker*", "*SageMaker*"),
    "AmplifyBackendDeployFullAccess": _invoke("amplify-*", conditions=_OF_ACCOUNT),
    "AWSApplicationAutoScalingCustomResourcePolicy": [_allow("execute-api:Invoke", "*")],
    "AWSCodeDeployRoleForCloudFormation": _HOOKS,
    "AWSCodeDeployRoleForECS": _INVOKE_ANY,
    "AWSCodeDeployRoleForECSLimited": _HOOKS,
    "AWSCodeDeployRoleForLambda": _HOOKS,
    "AWSCodeDeployRoleForLambdaLimited": _HOOKS,
    "AWSDeepRacerServiceRolePolicy": _invoke("*DeepRacer*", "*Deepracer*", "*deepracer*", "*dr-*"),
    "AWSDenyAll": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
    "AWSIoTDeviceTesterForFreeRTOSFullAccess": [_allow("execute-api:Invoke", _METRICS)],
    "AWSIoTDeviceTesterForGreengrassFullAccess": [_allow("execute-api:Invoke", _METRICS)],
    "AWSLambdaFullAccess": [_allow("lambda:*", "*")],
    "AWSLambdaInvocation-DynamoDB": _INVOKE_ANY,
    "AWSLambdaRole": _INVOKE_ANY,
    "AWSLambda_FullAccess": [_allow("lambda:*", "*")],
    "AWSMcpServiceActionsFullAccess": [
        _allow("*", "*", {"Bool": {"aws:IsMcpServiceAction": "true"}})
    ],
    "AWSMigrationHubOrchestratorPlugin": _MIGRATION,
    "AWSMigrationHubStrategyCollector": _MIGRATION,
    "AWSThinkboxDeadlineResourceTrackerAccessPolicy": _invoke("DeadlineResourceTracker*"),
    "ClientVPNServiceConnectionsRolePolicy": _invoke("AWSClientVPN-*"),
    "DataScientist": _INVOKE_ANY,
    "PowerUserAccess": [
        {
            "Effect": "Allow",
            "NotAction": ["iam:*", "organizations:*", "account:*"],
            "Resource": "*",
        }
    ],
    "SecretsManagerReadWrite": _invoke("SecretsManager*"),
    "SystemAdministrator": _INVOKE_ANY,
}

_NAMES = """
AWSAppRunnerServicePolicyForECRAccess AWSAppSyncAdministrator AWSAppSyncInvokeFullAccess
AWSAppSyncPushToCloudWatchLogs AWSBackupServiceRolePolicyForBackup
AWSBackupServiceRolePolicyForRestores AWSBatchServiceRole AWSCertificateManagerFullAccess
AWSCertificateManagerReadOnly AWSCloudFormationFullAccess AWSCloudFormationReadOnlyAccess
AWSCodeBuildAdminAccess AWSCodeBuildDeveloperAccess AWSCodeBuildReadOnlyAccess
AWSCodeCommitFullAccess AWSCodeCommitPowerUser AWSCodeCommitReadOnly AWSCodeDeployFullAccess
AWSCodeDeployRole AWSCodePipeline_FullAccess AWSConfigRole AWSConfigRulesExecutionRole
AWSElasticBeanstalkMulticontainerDocker AWSElasticBeanstalkWebTier AWSElasticBeanstalkWorkerTier
AWSGlueConsoleFullAccess AWSGlueServiceRole AWSIoTDataAccess AWSIoTFullAccess AWSIoTLogging
AWSIoTRuleActions AWSKeyManagementServicePowerUser AWSLakeFormationDataAdmin
AWSLambdaBasicDurableExecutionRolePolicy AWSLambdaBasicExecutionRole
AWSLambdaDynamoDBExecutionRole AWSLambdaENIManagementAccess AWSLambdaExecute
AWSLambdaKinesisExecutionRole AWSLambdaMSKExecutionRole AWSLambdaReadOnlyAccess
AWSLambdaReplicator AWSLambdaSQSQueueExecutionRole AWSLambdaServiceRolePolicy
AWSLambdaVPCAccessExecutionRole AWSLambda_ReadOnlyAccess AWSMarketplaceMeteringFullAccess
AWSMarketplaceMeteringRegisterUsage AWSOrganizationsFullAccess AWSOrganizationsReadOnlyAccess
AWSPriceListServiceFullAccess AWSPrivateCAReadOnly AWSResourceExplorerServiceRolePolicy
AWSResourceGroupsReadOnlyAccess AWSSecretsManagerClientReadOnlyAccess
AWSStepFunctionsConsoleFullAccess AWSStepFunctionsFullAccess AWSStepFunctionsReadOnlyAccess
AWSSupportAccess AWSTransferLoggingAccess AWSWAFFullAccess AWSWAFReadOnlyAccess
AWSXRayDaemonWriteAccess AWSXrayFullAccess AWSXrayReadOnlyAccess AWSXrayWriteOnlyAccess
AWS_ConfigRole AmazonAPIGatewayAdministrator AmazonAPIGatewayPushToCloudWatchLogs
AmazonAthenaFullAccess AmazonBedrockFullAccess AmazonBedrockLimitedAccess AmazonBedrockReadOnly
AmazonCognitoPowerUser AmazonCognitoReadOnly AmazonConnect_FullAccess
AmazonDMSCloudWatchLogsRole AmazonDMSVPCManagementRole AmazonDocDBFullAccess
AmazonDocDBReadOnlyAccess AmazonDynamoDBFullAccess AmazonDynamoDBFullAccess_v2
AmazonDynamoDBReadOnlyAccess AmazonEC2ContainerRegistryFullAccess
AmazonEC2ContainerRegistryPowerUser AmazonEC2ContainerRegistryPullOnly
AmazonEC2ContainerRegistryReadOnly AmazonEC2ContainerServiceAutoscaleRole
AmazonEC2ContainerServiceEventsRole AmazonEC2ContainerServiceRole
AmazonEC2ContainerServiceforEC2Role AmazonEC2FullAccess AmazonEC2ReadOnlyAccess
AmazonEC2RoleforAWSCodeDeploy AmazonEC2RoleforSSM AmazonEC2SpotFleetTaggingRole
AmazonECSInfrastructureRolePolicyForLoadBalancers
AmazonECSInfrastructureRolePolicyForServiceConnectTransportLayerSecurity
AmazonECSInfrastructureRolePolicyForVolumes AmazonECSInfrastructureRolePolicyForVpcLattice
AmazonECSTaskExecutionRolePolicy AmazonECS_FullAccess AmazonEKSClusterPolicy
AmazonEKSServicePolicy AmazonEKSVPCResourceController AmazonEKSWorkerNodePolicy
AmazonEKS_CNI_Policy AmazonElastiCacheFullAccess AmazonElastiCacheReadOnlyAccess
AmazonElasticFileSystemClientFullAccess AmazonElasticFileSystemClientReadOnlyAccess
AmazonElasticFileSystemClientReadWriteAccess AmazonElasticFileSystemFullAccess
AmazonElasticFileSystemReadOnlyAccess AmazonElasticMapReduceRole
AmazonElasticMapReduceforEC2Role AmazonEventBridgeFullAccess AmazonEventBridgePipesFullAccess
AmazonEventBridgeReadOnlyAccess AmazonEventBridgeSchedulerFullAccess AmazonFSxFullAccess
AmazonKendraFullAccess AmazonKendraReadOnlyAccess AmazonKinesisAnalyticsFullAccess
AmazonKinesisFirehoseFullAccess AmazonKinesisFirehoseReadOnlyAccess AmazonKinesisFullAccess
AmazonKinesisReadOnlyAccess AmazonKinesisVideoStreamsFullAccess AmazonLexFullAccess
AmazonLexReadOnly AmazonLexRunBotsOnly AmazonMQFullAccess AmazonMQReadOnlyAccess
AmazonMSKFullAccess AmazonMSKReadOnlyAccess AmazonOpenSearchIngestionFullAccess
AmazonOpenSearchServiceFullAccess AmazonOpenSearchServiceReadOnlyAccess AmazonPollyFullAccess
AmazonPollyReadOnlyAccess AmazonRDSDataFullAccess AmazonRDSEnhancedMonitoringRole
AmazonRDSFullAccess AmazonRDSReadOnlyAccess AmazonRekognitionFullAccess
AmazonRekognitionReadOnlyAccess AmazonRekognitionServiceRole AmazonRoute53FullAccess
AmazonRoute53ReadOnlyAccess AmazonS3FullAccess AmazonS3ObjectLambdaExecutionRolePolicy
AmazonS3ReadOnlyAccess AmazonSESFullAccess AmazonSESReadOnlyAccess AmazonSNSFullAccess
AmazonSNSReadOnlyAccess AmazonSNSRole AmazonSQSFullAccess AmazonSQSReadOnlyAccess
AmazonSSMAutomationApproverAccess AmazonSSMDirectoryServiceAccess AmazonSSMFullAccess
AmazonSSMManagedEC2InstanceDefaultPolicy AmazonSSMManagedInstanceCore AmazonSSMReadOnlyAccess
AmazonTextractFullAccess AmazonTextractServiceRole AmazonTimestreamFullAccess
AmazonTimestreamReadOnlyAccess AmazonTranscribeFullAccess AmazonTranscribeReadOnlyAccess
AmazonVPCFullAccess AmazonVPCReadOnlyAccess BedrockAgentCoreFullAccess Billing
CloudWatchAgentAdminPolicy CloudWatchAgentServerPolicy CloudWatchEventsFullAccess
CloudWatchEventsInvocationAccess CloudWatchEventsReadOnlyAccess CloudWatchFullAccess
CloudWatchFullAccessV2 CloudWatchLambdaApplicationSignalsExecutionRolePolicy
CloudWatchLambdaInsightsExecutionRolePolicy CloudWatchLogsFullAccess
CloudWatchLogsReadOnlyAccess CloudWatchReadOnlyAccess CloudWatchSyntheticsFullAccess
ComprehendDataAccessRolePolicy ComprehendFullAccess ComprehendMedicalFullAccess
ComprehendReadOnly EC2InstanceProfileForImageBuilder IAMFullAccess IAMReadOnlyAccess
IAMUserChangePassword NeptuneFullAccess NeptuneReadOnlyAccess ReadOnlyAccess SecurityAudit
TranslateFullAccess TranslateReadOnly ViewOnlyAccess
"""
NOT_TOUCHING = frozenset(_NAMES.split())
