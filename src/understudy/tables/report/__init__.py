"""Reports on made tables: the figures as JSON, and one HTML page that shows them."""
