"""Proof that environments differ only where a per-environment setting says so."""
