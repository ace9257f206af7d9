"""Effects at levels of moderators, along their range, and how effects differ between levels."""
