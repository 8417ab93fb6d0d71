"""The pruner: keeps the last three versions of each function."""
