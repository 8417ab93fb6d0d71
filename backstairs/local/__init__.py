"""The local run: the deployed application on one machine, behind our own door."""
