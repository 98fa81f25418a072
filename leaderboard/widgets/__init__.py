"""What visitors handle: controls kept in the address, tables, pictures, and the way from page to page."""
