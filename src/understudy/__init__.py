"""Understudy: training data that stands in for the real thing."""

__version__ = "0.1.0"
