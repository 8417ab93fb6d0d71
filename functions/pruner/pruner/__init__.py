"""The pruner: of each function's versions, the last three stay."""
