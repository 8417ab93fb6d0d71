"""HTTP servers on loopback, and the little of ASGI that they share."""
