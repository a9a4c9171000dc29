"""Intervals, and paired comparisons of two runs."""
