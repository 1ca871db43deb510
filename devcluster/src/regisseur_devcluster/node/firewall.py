"""The iptables rules of a node: a few of our own, and taking away what others made for us."""

import re
from collections.abc import Iterable, Iterator

from regisseur_devcluster.commands import run, succeeds
from regisseur_devcluster.endpoints import POD_RANGE, SERVICE_RANGE

FAMILIES = ("iptables", "ip6tables")
TABLES = ("nat", "filter", "mangle")
OURS = re.compile(r"(KUBE|CNI|REGISSEUR)-\S+")
"""Chains that kubelet and kube-proxy, the network plugins and we ourselves make."""

NOT_POD_TO_POD = ("-s", POD_RANGE, "!", "-d", POD_RANGE)
RULES = (
    # Pods reach the world under this machine's address.
    ("nat", "POSTROUTING", "REGISSEUR-POSTROUTING", (*NOT_POD_TO_POD, "-j", "MASQUERADE")),
    # A Service that exists has led to a pod by now: one that does not is nowhere else either.
    ("filter", "OUTPUT", "REGISSEUR-OUTPUT", ("-d", SERVICE_RANGE, "-j", "REJECT")),
    ("filter", "FORWARD", "REGISSEUR-FORWARD", ("-d", SERVICE_RANGE, "-j", "REJECT")),
    # Some machines, those with Docker for one, forward nothing unless told.
    ("filter", "FORWARD", "REGISSEUR-FORWARD", ("-s", POD_RANGE, "-j", "ACCEPT")),
    ("filter", "FORWARD", "REGISSEUR-FORWARD", ("-d", POD_RANGE, "-j", "ACCEPT")),
)


def add_rules() -> None:
    """Let pods talk to each other and to the world, unless the rules are there."""
    for table, hook, chain, rule in RULES:
        command = ["iptables", "--wait", "--table", table]
        if not succeeds([*command, "--list-rules", chain]):
            run([*command, "--new-chain", chain])
        for place, wanted in ((hook, ("-j", chain)), (chain, rule)):
            if not succeeds([*command, "--check", place, *wanted]):
                run([*command, "--append", place, *wanted])


def our_chains() -> list[str]:
    """Return the names of all chains that look like ours."""
    dumps = (_dump(family, table) for family in FAMILIES for table in TABLES)
    return sorted({chain for dump in dumps for chain in chains(dump) if OURS.fullmatch(chain)})


def used_tables() -> list[str]:
    """Return the tables that have anything in them, such as `iptables nat`."""
    pairs = ((family, table) for family in FAMILIES for table in TABLES)
    return [f"{family} {table}" for family, table in pairs if _dump(family, table)]


def remove_rules(*, spare_chains: Iterable[str], spare_tables: Iterable[str]) -> None:
    """Remove our chains and the rules that lead there, except what was there before us."""
    spared = set(spare_chains)
    tables = set(spare_tables)
    for family in FAMILIES:
        for table in TABLES:
            before = _dump(family, table)
            kept = "\n".join(without_ours(before, spared)) + "\n"
            if kept.strip() != before.strip():
                run([f"{family}-restore", "--wait", "--counters", "--table", table], stdin=kept)
            if before and f"{family} {table}" not in tables and is_empty(kept):
                _remove_table(family, table)


def _remove_table(family: str, table: str) -> None:
    """Remove a table that holds nothing: it would still show in listings.

    Only the newer iptables can, where tables are nftables' and made at their first use.
    """
    succeeds([family, "--wait", "--table", table, "--delete-chain"])
    place = ["table", {"iptables": "ip", "ip6tables": "ip6"}[family], table]
    if succeeds(["nft", "list", *place]) and "chain" not in run(["nft", "list", *place]):
        run(["nft", "delete", *place])


def chains(dump: str) -> list[str]:
    """Return the chains of a table as iptables-save prints it."""
    return [line[1:].split(maxsplit=1)[0] for line in dump.splitlines() if line.startswith(":")]


def without_ours(dump: str, spared: set[str]) -> Iterator[str]:
    """Yield the lines of a table that are not ours."""
    ours = {chain for chain in chains(dump) if OURS.fullmatch(chain)} - spared
    for line in dump.splitlines():
        if ours.isdisjoint(_chains_named(line)):
            yield line


def is_empty(dump: str) -> bool:
    """Return whether a table has neither rules nor chains of somebody's own, nor a policy."""
    lines = [line for line in dump.splitlines() if line.startswith((":", "-", "["))]
    return all(re.match(r":[A-Z]+ ACCEPT ", line) for line in lines)


def _chains_named(line: str) -> set[str]:
    """Return the chain that a line defines, or the ones that a rule is in and leads to."""
    if line.startswith(":"):
        return {line[1:].split(maxsplit=1)[0]}
    found = re.match(r"(?:\[\d+:\d+\] )?-A (\S+)", line)
    leads_to = re.findall(r" -[jg] (\S+)", line)
    return {found[1], *leads_to} if found else set()


def _dump(family: str, table: str) -> str:
    """Return a table, or nothing when the machine does not use it."""
    saved = run([f"{family}-save", "--counters"])
    found = re.search(rf"^\*{table}$.*?^COMMIT$", saved, re.MULTILINE | re.DOTALL)
    return found[0] if found else ""
