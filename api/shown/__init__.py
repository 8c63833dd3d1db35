"""What answers look like: for the API's description alone.

The answers themselves are written straight from what the views know; a test holds them against
these models, so that nothing is told that is not described (R45).
"""
