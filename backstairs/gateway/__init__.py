"""What API Gateway does with a request: no process, no AWS client."""
