"""The kubectl engine: applies the rendered objects, waits for them and prunes."""
