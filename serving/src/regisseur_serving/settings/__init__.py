"""What the environment says.

One module a command: `fetch` starts in tens of milliseconds because it reads its variables
itself, while `serve` takes its settings from pydantic.
"""
