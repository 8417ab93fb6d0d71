"""Creating a claim, written the usual way: boto3's resource, a pydantic model, Powertools."""
