"""Mean outcomes in any worlds, exact given a draw."""
