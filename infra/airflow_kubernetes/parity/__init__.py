"""Two environments that may differ only where a per-environment setting says so."""
