"""The metadata database: MySQL in the cluster or an external server, and its backups."""
