"""The claim types: reference data for everything in the network."""
