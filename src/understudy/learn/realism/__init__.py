"""How made pictures differ from real ones: a warning light that names what to look at, never the aim of a search."""
