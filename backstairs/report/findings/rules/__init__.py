"""The rules, one module each, found by being here: its `RULE`, and `check`, which finds."""
