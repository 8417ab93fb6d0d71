"""What is deployed, read from the account by AWS's own APIs."""
