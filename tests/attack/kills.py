"""Kill processes at random moments, and check after each kill that nothing is lost or half there.

    python -m tests.attack.kills [--times 400] [--models 20] [--seed 1]

Half of the processes change the library: they add, replace, remove, embed again and rebuild. The
other half answer questions and write the history through the page's worker, while files are added.
`--models` more processes do the second with the packaged models. After each kill the library must
open twice in one process, each document must be whole or absent, with the sentences of its text, and
its first, middle and last paragraph must be found, each citation must equal the text at its offsets,
the conversations must open, and each question must be there once, with one whole outcome or none.
"""

import argparse
import logging
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from qa.config import share_processors
from tests.attack.victims import PHASES, Finding, Kind, Ledger, check, load_modules, run_victim

AIMS = {
    "library": (("embedding", 0.1), ("writing passages", 0.2), ("removing", 0.02)),
    "rebuild": (("rebuilding", 0.3),),
    "history": (
        ("writing a question", 0.004),
        ("answering", 0.02),
        ("writing an outcome", 0.004),
        ("rating, renaming, deleting", 0.004),
    ),
    "models": (("answering", 0.3), ("writing an outcome", 0.01)),
}
"""By kind of process: the phases to wait for, and the longest delay after them in seconds."""
PATIENCE = 300.0
"""Seconds in which a process must reach the phase, and in which a check must end."""
GLANCE = 0.0005
MAX_REPORTS = 6
"""Before a kill a process works until it has reported fewer steps than these."""
_processes = multiprocessing.get_context("fork")
# Forked processes start with all modules imported: a kill takes a tenth of the time.


@dataclass(slots=True)
class Tally:
    """The kills of one kind of process."""

    ledger: Ledger = field(default_factory=Ledger)
    phases: Counter[str] = field(default_factory=Counter)
    """Kills by what the process did at that moment."""
    broken: int = 0
    citations: int = 0
    problems: list[str] = field(default_factory=list)


def main() -> int:
    """Kills, checks and prints. Returns 1 if anything was lost or half there."""
    options = _options()
    share_processors()
    logging.disable(logging.WARNING)
    load_modules()
    half = options.times // 2
    rebuilds = half // 10
    rounds: dict[Kind, int] = {
        "library": half - rebuilds,
        "rebuild": rebuilds,
        "history": options.times - half,
        "models": options.models,
    }
    tallies: dict[Kind, Tally] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, times in rounds.items():
            if kind not in options.only.split(","):
                continue
            # A rebuild builds the library again that the changes have left.
            home = Path(folder) / ("library" if kind == "rebuild" else kind)
            ledger = (
                tallies["library"].ledger
                if "library" in tallies and kind == "rebuild"
                else Ledger()
            )
            tally = tallies[kind] = Tally(ledger)
            for number in range(times):
                _kill_and_check(kind, home, random.Random(f"{options.seed}/{kind}/{number}"), tally)
                _show_progress(kind, number + 1, times, tally)
    _print(tallies)
    return int(any(tally.broken for tally in tallies.values()))


def _kill_and_check(kind: Kind, home: Path, rng: random.Random, tally: Tally) -> None:
    phase = _processes.RawValue("i", 0)
    aim, delay = rng.choice(AIMS[kind])
    receiver, sender = _processes.Pipe(duplex=False)
    victim = _processes.Process(
        target=run_victim, args=(kind, home, rng.randrange(2**32), phase, sender)
    )
    victim.start()
    sender.close()
    ledger = tally.ledger
    reports = 0 if kind == "rebuild" else rng.randrange(MAX_REPORTS)
    _wait_for(aim, reports, phase, victim, receiver, ledger)
    time.sleep(rng.uniform(0, delay))
    ended = not victim.is_alive()
    tally.phases[PHASES[phase.value]] += 1
    victim.kill()
    victim.join()
    _note(receiver, ledger)

    finding = _check(kind, home, ledger)
    if ended:
        finding.problems.append("the process ended before it was killed")
    tally.citations += finding.citations
    tally.broken += bool(finding.problems)
    tally.problems += finding.problems
    for problem in finding.problems:
        print(f"\n{kind}, killed while {PHASES[phase.value]}: {problem}", file=sys.stderr)
    _settle(ledger, finding)


def _wait_for(
    aim: str, reports: int, phase: Any, victim: BaseProcess, receiver: Connection, ledger: Ledger
) -> None:
    """Returns when the process, after some reports, does what the kill aims at.

    Returns all the same after PATIENCE.
    """
    deadline = time.monotonic() + PATIENCE
    while victim.is_alive() and time.monotonic() < deadline:
        # The process would stand still if nobody read its reports.
        while receiver.poll():
            if not _note_next(receiver, ledger):
                return
            reports -= 1
        if reports <= 0 and PHASES[phase.value] == aim:
            return
        time.sleep(GLANCE)


def _note(receiver: Connection, ledger: Ledger) -> None:
    while _note_next(receiver, ledger):
        pass


def _note_next(receiver: Connection, ledger: Ledger) -> bool:
    try:
        ledger.note(receiver.recv())
    except EOFError:
        return False
    return True


def _check(kind: Kind, home: Path, ledger: Ledger) -> Finding:
    """Checks in a process of its own: this one must stay without threads to be forked."""
    receiver, sender = _processes.Pipe(duplex=False)
    checker = _processes.Process(target=check, args=(kind, home, ledger, sender))
    checker.start()
    sender.close()
    finding = Finding(["the check did not end"])
    if receiver.poll(PATIENCE):
        try:
            finding = receiver.recv()
        except EOFError:
            finding = Finding(["the check crashed"])
    checker.kill()
    checker.join()
    return finding


def _settle(ledger: Ledger, finding: Finding) -> None:
    """What was under way at the kill is now decided."""
    for name in ledger.documents:
        ledger.documents[name] = {finding.documents.get(name, "")}
    ledger.questions = finding.questions
    ledger.outcomes |= finding.outcomes
    ledger.under_way = ledger.deleting = None


def _show_progress(kind: Kind, number: int, times: int, tally: Tally) -> None:
    end = "\n" if number == times else ""
    print(f"\r{kind}: {number} of {times}, {tally.broken} broken ", end=end, file=sys.stderr)


def _print(tallies: dict[Kind, Tally]) -> None:
    print(f"{'process':10}{'killed while':28}{'kills':>6}")
    for kind, tally in tallies.items():
        for phase, kills in sorted(tally.phases.items()):
            print(f"{kind:10}{phase:28}{kills:6}")
        for problem, times in Counter(tally.problems).most_common(10):
            print(f"{kind:10}PROBLEM ({times}×) {problem}")

    kills = sum(tally.phases.total() for tally in tallies.values())
    broken = sum(tally.broken for tally in tallies.values())
    citations = sum(tally.citations for tally in tallies.values())
    outcomes = sum(len(tally.ledger.outcomes) for tally in tallies.values())
    print(
        f"{kills - broken} of {kills} whole; {outcomes} outcomes and {citations} citations checked"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack.kills")
    parser.add_argument("--times", type=int, default=400, help="kill this many processes")
    parser.add_argument("--models", type=int, default=20, help="and this many with the models")
    parser.add_argument("--only", default="library,rebuild,history,models", help="these kinds only")
    parser.add_argument("--seed", default="1", help="choose other moments")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
