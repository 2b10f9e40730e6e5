"""Registries: what they hold, logging in, copying, cleaning up, and what is said of an image."""
