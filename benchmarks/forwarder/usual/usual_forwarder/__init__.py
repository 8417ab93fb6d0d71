"""A forwarder as it is usually written."""
