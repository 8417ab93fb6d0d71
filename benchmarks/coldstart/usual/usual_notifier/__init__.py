"""The notifier, written the usual way: requests, botocore's signer, boto3's resource, pydantic."""
