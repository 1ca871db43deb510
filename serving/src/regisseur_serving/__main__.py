"""Entry point of the image: `python -m regisseur_serving {fetch,convert,rehearse,serve}`.

The first thing it does is to answer signals. As the first process of a container it would be
deaf to SIGTERM until a handler is installed, and Kubernetes would wait the whole grace period
for a pod that is still importing its libraries.
"""

import os
import signal
import sys
from types import FrameType

from regisseur_contract.exits import USAGE
from regisseur_contract.runtime import (
    SUBCOMMAND_CONVERT,
    SUBCOMMAND_FETCH,
    SUBCOMMAND_REHEARSE,
    SUBCOMMAND_SERVE,
)


def _leave_at_once(number: int, _frame: FrameType | None) -> None:
    # Nothing is worth cleaning up yet, and unwinding through a half-done import may go wrong.
    os._exit(128 + number)


def main() -> int:
    """Run the command that the arguments name."""
    signal.signal(signal.SIGTERM, _leave_at_once)
    signal.signal(signal.SIGINT, _leave_at_once)
    match sys.argv[1:]:
        case [command] if command == SUBCOMMAND_FETCH:
            from regisseur_serving.app import fetch  # noqa: PLC0415 - each command pays for itself

            return fetch.main()
        case [command] if command == SUBCOMMAND_CONVERT:
            from regisseur_serving.app import convert  # noqa: PLC0415

            return convert.main()
        case [command] if command == SUBCOMMAND_REHEARSE:
            from regisseur_serving.app import rehearse  # noqa: PLC0415

            return rehearse.main()
        case [command] if command == SUBCOMMAND_SERVE:
            from regisseur_serving.app import serve  # noqa: PLC0415

            return serve.main()
    commands = (SUBCOMMAND_FETCH, SUBCOMMAND_CONVERT, SUBCOMMAND_REHEARSE, SUBCOMMAND_SERVE)
    print(f"usage: python -m regisseur_serving {{{','.join(commands)}}}", file=sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
