"""Two sets of objects, leaf by leaf: what differs, and what a deployment makes of it."""
