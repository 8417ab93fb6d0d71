"""From a SAM template to the model that access is decided on."""
