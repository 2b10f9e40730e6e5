"""The report of a pull request: what a deployment of it would change in every environment."""
