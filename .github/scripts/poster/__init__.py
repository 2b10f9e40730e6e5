"""Posts the preview of a pull request as its one comment.

It runs with a token that may write, so it runs nothing of the pull request: the report is data that
anybody may have written. It needs Python's standard library alone, so nothing is installed either.
"""
