"""The notifier: a consumer of the members service, by a grant of its own."""
