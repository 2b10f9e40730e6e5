"""The differences of two sets of objects, and what a deployment does about them."""
