"""How a packet finds its way in a template's networks: names, routes, filters."""
