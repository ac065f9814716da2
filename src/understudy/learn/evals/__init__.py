"""Scores on real pictures, each with its interval: nothing here knows how an answer came to be."""
