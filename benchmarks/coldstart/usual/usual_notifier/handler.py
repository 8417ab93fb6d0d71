"""The notifier, to compare with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import boto3
import requests
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from pydantic import BaseModel

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

logger = Logger(service="notifier")
processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
session = boto3.Session()
table = session.resource("dynamodb").Table(os.environ["TABLE_NAME"])
http = requests.Session()


class Member(BaseModel):
    """What the members service says of a member."""

    memberId: str  # noqa: N815 - JSON's name
    name: str
    email: str


def find(member_id: str) -> Member:
    """Ask for a member."""
    url = f"{os.environ['CLAIMS_API_URL']}/members/{member_id}"
    request = AWSRequest("GET", url, headers={"x-apigw-api-id": os.environ["CLAIMS_API_ID"]})
    signer = SigV4Auth(session.get_credentials(), "execute-api", os.environ["AWS_REGION"])
    signer.add_auth(request)
    response = http.get(url, headers=dict(request.headers), timeout=10)
    response.raise_for_status()
    return Member.model_validate_json(response.content)


def notify(record: DynamoDBRecord) -> None:
    """Store the notification of one change."""
    keys: Any = record.dynamodb.keys if record.dynamodb else None
    member_id = keys["PK"].removeprefix("MEMBER#")
    member = find(member_id)
    item = {
        "memberId": member_id,
        "changeId": record.event_id,
        "to": member.email,
        "text": f"Dear {member.name}, there is news of your claim.",
    }
    try:
        table.put_item(Item=item, ConditionExpression="attribute_not_exists(memberId)")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
    logger.info("member notified")


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    """Deal with a batch of stream records."""
    return process_partial_response(
        event=event, record_handler=notify, processor=processor, context=context
    )
