"""Guided randomisation: which distributions of a recipe teach most, found with small networks on a real validation."""
