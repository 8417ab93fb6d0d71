"""What a VPC does: which names a function reaches, and by which way."""
