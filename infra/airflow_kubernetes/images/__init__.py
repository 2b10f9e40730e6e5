"""Images: what goes into them, their content tags, the lock, and building them."""
