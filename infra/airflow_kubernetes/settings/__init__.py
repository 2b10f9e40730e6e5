"""Values files as checked, immutable `Settings`. Imports no other room."""
