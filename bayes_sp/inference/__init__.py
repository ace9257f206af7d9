"""A joint model to draws or estimates."""
