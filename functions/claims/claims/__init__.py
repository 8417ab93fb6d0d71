"""The claims service: what members of an insurance ask to be paid for."""
