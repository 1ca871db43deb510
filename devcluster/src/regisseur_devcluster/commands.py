"""Running other programs to their end, with failures turned into one clear line."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from regisseur_devcluster.errors import CommandError, DevclusterError
from regisseur_devcluster.settings import environment

TAIL_LINES = 15


def run(
    arguments: Sequence[str | Path],
    *,
    extra_environment: dict[str, str] | None = None,
    folder: Path | None = None,
    stdin: str | None = None,
    log: Path | None = None,
    timeout_seconds: float | None = 600,
) -> str:
    """Run a program and return what it printed.

    Args:
        arguments: The program and its arguments; nothing goes through a shell.
        extra_environment: Variables on top of this process's own.
        folder: Where to run it.
        stdin: Text for its standard input.
        log: Where its output is kept as well, for work that is long or often fails.
        timeout_seconds: When to give up on it.

    Raises:
        CommandError: It failed; the message ends with the last lines it wrote.
    """
    name = Path(arguments[0]).name
    try:
        done = subprocess.run(
            [str(argument) for argument in arguments],
            env=environment(extra_environment),
            cwd=folder,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise DevclusterError(f"the program {name} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{name} did not finish within {timeout_seconds:.0f} s") from error
    output = done.stdout + done.stderr
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(output)
    if done.returncode != 0:
        command = " ".join(str(argument) for argument in arguments[:4])
        raise CommandError(
            f"`{command} …` failed with code {done.returncode}:\n{tail(output)}", output=output
        )
    return done.stdout


def succeeds(arguments: Sequence[str | Path]) -> bool:
    """Return whether a program ends well; what it says is dropped."""
    try:
        run(arguments, timeout_seconds=60)
    except DevclusterError:
        return False
    return True


def tail(text: str, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a text, for the end of an error message."""
    return "\n".join(text.strip().splitlines()[-lines:])
