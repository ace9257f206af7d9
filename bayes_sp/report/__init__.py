"""Results to text, figures and folders."""
