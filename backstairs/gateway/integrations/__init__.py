"""What an admitted request is handed to, by kind of integration."""
