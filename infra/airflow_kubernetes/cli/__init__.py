"""The command line that the Makefile calls; main.py lists the commands."""
