"""Numbers printed in an article, and records that reproduce them."""
