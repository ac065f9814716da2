"""The people world: digital humans, dressed and posed, somewhere."""
