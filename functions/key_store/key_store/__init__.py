"""The key store: puts the value of a generated API key where permitted services can read it.

A custom resource. It needs the internet, so it runs outside the VPC: its answers go to S3.
"""
