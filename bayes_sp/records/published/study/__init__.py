"""A published study as data: the one TOML form in which its printed numbers are described, and how it is read."""
