"""The members service: who is insured and how to reach them."""
