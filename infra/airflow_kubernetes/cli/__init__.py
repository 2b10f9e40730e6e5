"""The command line that the Makefile calls: a module for each command."""
