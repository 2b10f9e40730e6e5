"""Container registries: references, logins, a client, and which old images may be deleted."""
