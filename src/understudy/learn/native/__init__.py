"""The native networks: torch and nothing else. Only functions import this package, since torch takes a second to load."""
