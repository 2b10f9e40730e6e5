"""What the Makefile's targets run: `python -m bundle <command> <environment>`."""
