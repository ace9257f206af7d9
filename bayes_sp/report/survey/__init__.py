"""A survey in words, before any fit and at the head of one."""
