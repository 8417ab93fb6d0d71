"""A matrix, a comparison or a check as somebody reads it: one module a format."""
