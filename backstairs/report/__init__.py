"""What a template's declarations mean: who may call what, from where, and why."""
