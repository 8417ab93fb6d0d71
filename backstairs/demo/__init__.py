"""The tour of this repository's own application."""
