"""What a survey's columns hold, in tables: moments, correlations, waves, who came back."""
