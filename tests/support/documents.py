"""The commands of the documents, so that tests can run what people are told to type."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def read_commands(document: str) -> list[str]:
    """Return the commands of all `console` blocks in order: what follows `$ `, without comments."""
    text = (ROOT / document).read_text()
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ").split("  #")[0] for line in lines if line.startswith("$ ")]
