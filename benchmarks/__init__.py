"""Benchmarks of bayes_sp: ``python -m benchmarks`` prints times, memory and ratios, and writes them to a CSV file."""
