"""The notifier: tells members of changes to their claims; a consumer of the members service."""
