"""Calls the members route with whatever its role is granted."""
