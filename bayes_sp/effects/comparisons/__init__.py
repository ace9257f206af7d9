"""Effects side by side: of several moves of the exposures, and how any two of them differ."""
