"""The AWS account behind the local run: MiniStack in a process of its own.

MiniStack is the account (CloudFormation, IAM, STS, DynamoDB, EC2's control plane ...), never the
API's door. `adapters` lists what it lacks and is supplied here; `account` adds the read-only
endpoints by which the door learns who a signature belongs to and what its principal may do.
"""
