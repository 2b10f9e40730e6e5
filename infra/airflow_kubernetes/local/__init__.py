"""What `make task` and `make local-up` need: the machine's container engine, its images, .env."""
