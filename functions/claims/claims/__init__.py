"""The claims service: the claims that members of an insurance have made."""
