"""Values files in, one frozen and checked `Settings` out."""
