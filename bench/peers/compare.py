"""Compares this library with its peers in one sitting: ours, peer, ours, peer, and the median of the ratios. Run by
`./run bench --peers`, which builds our programs first."""

import argparse
import datetime
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from contestants import CASES, CONTESTANTS, FRAMEWORKS, KEEP_HEAP, QUICK_RULES, RATES, RULES
from install import ENVIRONMENTS, HERE, Installation
from net import NetComparison, print_net
from table import print_tables
from workers import Worker, environment

BASE = "this library"

AGREEMENT = 0.01  # of what three steps have moved; eps stands elsewhere here and there
AGREEMENT_8_BIT = 0.15  # such state keeps three bits behind the leading one: up to an eighth off


class Stopped(Exception):
    """Ctrl-C, or SIGTERM."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


def stop(number, _frame):
    signal.signal(number, signal.SIG_DFL)  # a second one ends at once
    raise Stopped(number)


class Comparison:
    def __init__(self, arguments, installation, say):
        self.arguments, self.installation, self.say = arguments, installation, say
        self.rounds = 3 if arguments.quick else 7
        self.seconds = 0.03 if arguments.quick else 0.06
        self.results = []
        self.absent = [
            {"contestant": peer, "reason": reason, "cases": []} for peer, reason in installation.absent.items()
        ]
        self.workers = {}
        self.interrupted = None

    def command(self, worker):
        programs, folder = Path(self.arguments.programs), self.installation.folder
        if worker in FRAMEWORKS:
            name, place = FRAMEWORKS[worker]
            return [self.installation.python(place), HERE / f"peer_{name}.py"]
        return [
            {
                "ours": programs / "peers_worker",
                "loop": programs / "peers_loop",
                "loop_fast": programs / "peers_loop_fast",
                "armadillo": folder / "armadillo",
            }[worker]
        ]

    def ask(self, worker, mode, request):
        # A program keeps one case, so each mode of ours has its own; frameworks take long to start.
        key = f"{worker}-{mode}" if worker == "ours" else worker
        if key not in self.workers:
            variables = environment(request["threads"], self.installation.variables())
            variables |= KEEP_HEAP if worker == "torch_kept" else {}
            log = self.installation.folder / f"worker-{key}.log"
            self.workers[key] = Worker(self.command(worker), log, variables)
        return self.workers[key].ask(request | {"mode": mode})

    def stop_workers(self):
        for worker in self.workers.values():
            worker.stop()
        self.workers = {}

    def measure(self, contestant, request):
        """Ours and the peer by turns. What was measured before a stop counts."""
        pairs = []
        try:
            for _ in range(self.rounds):
                ours = self.ask("ours", contestant.base, request)
                theirs = self.ask(contestant.worker, contestant.mode, request)
                for answer, name in ((ours, BASE), (theirs, contestant.name)):
                    if "reason" in answer:
                        self.note_absence(name if name != BASE else f"{contestant.name}, for ours", answer, request)
                        return
                pairs.append((ours, theirs))
        finally:
            if pairs:
                self.results.append(self.result(contestant, request, pairs))

    def note_absence(self, name, answer, request):
        case = {key: request[key] for key in ("rule", "tensors", "count", "threads")}
        for absence in self.absent:
            if (absence["contestant"], absence["reason"]) == (name, answer["reason"]):
                absence["cases"].append(case)
                return
        self.absent.append({"contestant": name, "reason": answer["reason"], "cases": [case]})

    def result(self, contestant, request, pairs):
        ratios = [theirs["seconds"] / ours["seconds"] for ours, theirs in pairs]
        ours, theirs = pairs[0]
        allowed = AGREEMENT_8_BIT if contestant.mode == "8-bit" else AGREEMENT
        return {
            "rule": request["rule"],
            "tensors": request["tensors"],
            "count": request["count"],
            "threads": request["threads"],
            "contestant": contestant.name,
            "compared_with": contestant.base,
            "times": statistics.median(ratios),
            "lowest": min(ratios),
            "highest": max(ratios),
            "seconds": statistics.median(theirs["seconds"] for _, theirs in pairs),
            "our_seconds": statistics.median(ours["seconds"] for ours, _ in pairs),
            "processors": statistics.median(theirs["processors"] for _, theirs in pairs),
            "our_processors": statistics.median(ours["processors"] for ours, _ in pairs),
            "rounds": len(pairs),
            "parameters": [theirs["first"], theirs["last"]],
            "our_parameters": [ours["first"], ours["last"]],
            "agrees": all(abs(theirs[end] - ours[end]) <= allowed * abs(ours[end]) for end in ("first", "last")),
        }

    def cases(self):
        """By threads first: a framework is told of them when it starts."""
        processors = os.cpu_count() or 1
        for tensors, count, threads, quick in CASES:
            if threads > processors:
                self.note_absence(
                    "everyone",
                    {"reason": f"this machine has {processors} processor"},
                    {"rule": None, "tensors": tensors, "count": count, "threads": threads},
                )
            elif quick or not self.arguments.quick:
                yield tensors, count, threads

    def contestants(self, request):
        """Who takes part in a case; the others have a reason, but for what they do not claim to do."""
        for it in CONTESTANTS:
            if request["rule"] not in it.rules or request["count"] < it.count or it.peer in self.installation.absent:
                continue
            if request["threads"] > it.threads:
                self.note_absence(it.name, {"reason": "it has one thread"}, request)
            elif request["tensors"] > it.tensors:
                self.note_absence(it.name, {"reason": "compiling so many tensors takes half a minute a rule"}, request)
            else:
                yield it

    def everything(self):
        cases = list(self.cases())
        rules = [self.arguments.rule] if self.arguments.rule else QUICK_RULES if self.arguments.quick else RULES
        done, start = 0, time.monotonic()
        threads_before = 0
        for tensors, count, threads in cases:
            if threads != threads_before:
                self.stop_workers()
                threads_before = threads
            for rule in rules:
                request = RATES | {"rule": rule, "tensors": tensors, "count": count, "threads": threads}
                request["seconds"] = self.seconds
                for contestant in self.contestants(request):
                    self.measure(contestant, request)
                done += 1
                self.say(f"{done} of {len(cases) * len(rules)} cases after {time.monotonic() - start:.0f} s")

    def document(self):
        return {
            "quick": self.arguments.quick,
            "interrupted": self.interrupted is not None,
            "rounds": self.rounds,
            "burst_seconds": self.seconds,
            "versions": self.installation.versions,
            "rates": RATES,
            "absent": self.absent,
            "results": self.results,
            "rerun": "./run bench --peers"
            + (" --quick" if self.arguments.quick else "")
            + (f" --rule {self.arguments.rule}" if self.arguments.rule else ""),
        }


def machine(programs):
    def first_line(*command):
        try:
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            return told.splitlines()[0] if told else None
        except (OSError, subprocess.CalledProcessError):
            return None

    try:
        models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    except OSError:
        models = []
    return {
        "processor": models[0].split(":", 1)[1].strip() if models else platform.processor(),
        "processors": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "compiler": first_line("cc", "--version"),
        "rmsprop": first_line(programs / "rmsprop", "--version"),
    }


def write_whole(path, text):
    """The file whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text)
    beside.replace(path)


def draw(installation, out, say):
    if "Matplotlib" in installation.absent:
        return []
    paths = [out / "peers.png", out / "peers.svg"]
    reason = installation.run("plot", [installation.python("plot"), HERE / "plot.py", out / "peers.json", *paths])
    if reason:
        say(f"no picture: {reason}")
    return [] if reason else paths


def parse(words):
    parser = argparse.ArgumentParser(
        prog="./run bench --peers",
        description="Compares this library with its peers: time of a step, ours and theirs by turns. Installs them by "
        "pip into build/peers, about 8 GB, and uses them again. RMSPROP_PEERS_VENVS=DIR uses the virtual environments "
        "DIR/torch, DIR/jax, DIR/tf and DIR/plot instead, as they are.",
        allow_abbrev=False,
    )
    parser.add_argument("--peers", action="store_true", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--environments", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="fewer cases and rounds; indicative")
    parser.add_argument("--rule", choices=RULES, help="this rule alone; default: all four")
    parser.add_argument("--net", action="store_true", help="a whole step of training a net instead, against PyTorch")
    parser.add_argument("--fresh", action="store_true", help="install everything anew")
    parser.add_argument("--out", default="out", metavar="DIR", help="folder for what is written; default: out")
    parser.add_argument("--json", action="store_true", help="the JSON document on stdout instead of tables")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    arguments = parser.parse_args(words)
    if arguments.net and arguments.rule:
        parser.error("--net trains with rmsprop: --rule does not go with it")
    return arguments


def compare(arguments, say):
    """Installs and measures. What was stopped has what was measured until then."""
    comparison = None
    installation = Installation(arguments.environments, os.environ.get("RMSPROP_PEERS_VENVS"), say)
    try:
        installation.everything(arguments.fresh, ["torch"] if arguments.net else ENVIRONMENTS)
        comparison = (NetComparison if arguments.net else Comparison)(arguments, installation, say)
        comparison.everything()
    except Stopped as stopped:
        if comparison is None:
            sys.exit(128 + stopped.number)
        comparison.interrupted = stopped.number
    comparison.stop_workers()
    return comparison


def report(comparison, out, say):
    net = comparison.arguments.net
    document = comparison.document() | {
        "date": datetime.date.today().isoformat(),
        "machine": machine(Path(comparison.arguments.programs)),
    }
    text = json.dumps(document, indent=2) + "\n"
    path = out / ("peers-net.json" if net else "peers.json")
    write_whole(path, text)
    written = [path] if net else [path, *draw(comparison.installation, out, say)]
    if comparison.arguments.json:
        print(text, end="")
        return
    if net:
        print_net(document)
    else:
        print_tables(document, [it.name for it in CONTESTANTS])
    print("written:", *written)


def main():
    arguments = parse(sys.argv[1:])

    def say(sentence):
        if not arguments.quiet:
            print(f"peers: {sentence}", file=sys.stderr, flush=True)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    out = Path(arguments.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        comparison = compare(arguments, say)
        report(comparison, out, say)
    except OSError as error:
        print(f"peers: {error}", file=sys.stderr)
        return 1
    return 128 + comparison.interrupted if comparison.interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
