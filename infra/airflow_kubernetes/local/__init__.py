"""What runs on an author's machine without a cluster: container engine, images, .env, health."""
