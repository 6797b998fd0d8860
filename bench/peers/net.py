"""The comparison of `./run bench --peers --net`: a whole step of training, the net's arithmetic included. Ours is a
race, by turns with the same net in PyTorch, each on one thread."""

import json
import statistics
import subprocess
from pathlib import Path

from contestants import RATES
from install import HERE
from table import duration, times
from workers import Worker, environment

STEPS = 550  # one epoch: what `rmsprop race fashion --quick` takes
MODES = {"PyTorch, for-loop": "for-loop", "PyTorch, foreach": "foreach"}
TITLE = "Fashion-MNIST, 784-128-10 net, batches of 100, RMSProp, one epoch"


class NetComparison:
    """What the net has of a comparison: results, and who is absent."""

    def __init__(self, arguments, installation, say):
        self.arguments, self.installation, self.say = arguments, installation, say
        self.rounds = 3 if arguments.quick else 7
        self.results, self.absent = [], []
        self.interrupted = None
        self.worker = None

    def ours(self):
        """Seconds of a step, scores left out, and the validation loss; of one run."""
        race = ["race", "fashion", "--optimizers", "rmsprop", "--lr", str(RATES["lr"]), "--seeds", "1"]
        race += ["--threads", "1", "--quick", "--quiet", "--json", "--out", self.installation.folder / "race"]
        command = [Path(self.arguments.programs) / "rmsprop", *race]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(1, {}), check=False)
        if done.returncode != 0:
            return {"reason": (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]}
        document = json.loads(done.stdout)
        validation = document["entries"][0]["sensitivity"][0]["validation"]
        return {"seconds": document["time"][0]["seconds_per_step"], "validation": validation}

    def theirs(self, mode):
        if self.worker is None:
            command = [self.installation.python("torch"), HERE / "peer_net.py"]
            log = self.installation.folder / "worker-net.log"
            self.worker = Worker(command, log, environment(1, self.installation.variables()))
        return self.worker.ask(RATES | {"mode": mode, "steps": STEPS})

    def stop_workers(self):
        if self.worker is not None:
            self.worker.stop()

    def measure(self, name, mode):
        """Ours and the peer by turns. What was measured before a stop counts."""
        pairs = []
        try:
            for _ in range(self.rounds):
                theirs, ours = self.theirs(mode), self.ours()
                for answer, whose in ((theirs, name), (ours, "this library")):
                    if "reason" in answer:
                        self.absent.append({"contestant": whose, "reason": answer["reason"], "cases": []})
                        return
                pairs.append((ours, theirs))
        finally:
            if pairs:
                self.results.append(self.result(name, pairs))

    def result(self, name, pairs):
        ratios = [theirs["seconds"] / ours["seconds"] for ours, theirs in pairs]
        our_validation, validation = (statistics.median(it["validation"] for it in side) for side in zip(*pairs))
        return {
            "rule": "rmsprop",
            "threads": 1,
            "contestant": name,
            "times": statistics.median(ratios),
            "lowest": min(ratios),
            "highest": max(ratios),
            "seconds": statistics.median(theirs["seconds"] for _, theirs in pairs),
            "our_seconds": statistics.median(ours["seconds"] for ours, _ in pairs),
            "rounds": len(pairs),
            "validation": validation,
            "our_validation": our_validation,
        }

    def everything(self):
        if "PyTorch" in self.installation.absent:
            reason = self.installation.absent["PyTorch"]
            self.absent.append({"contestant": "PyTorch", "reason": reason, "cases": []})
            return
        for name, mode in MODES.items():
            self.measure(name, mode)
            self.say(f"{name}: measured")

    def document(self):
        return {
            "title": TITLE,
            "quick": self.arguments.quick,
            "interrupted": self.interrupted is not None,
            "rounds": self.rounds,
            "steps": STEPS,
            "versions": self.installation.versions,
            "rates": {key: RATES[key] for key in ("lr", "rho", "eps")},
            "absent": self.absent,
            "results": self.results,
            "rerun": "./run bench --peers --net" + (" --quick" if self.arguments.quick else ""),
        }


def print_net(document):
    if document["interrupted"]:
        print("Interrupted: what was measured until then.")
    if document["quick"]:
        print("Indicative: few rounds (--quick).")
    print(document["title"])
    print(f"1 thread; medians of {document['rounds']} turns. times: theirs by ours; above 1 this library is faster.")
    print("loss: validation, after the epoch.")
    names = ("a step", 10), ("an epoch", 12), ("ours, a step", 15), ("times", 8), ("lowest", 9), ("highest", 9)
    print(" " * 22 + "".join(f"{name:>{width}}" for name, width in (*names, ("loss", 8), ("ours", 8))))
    for it in document["results"]:
        print(
            f"{it['contestant']:<22}{duration(it['seconds']):>10}{it['seconds'] * document['steps']:>10.3f} s"
            f"{duration(it['our_seconds']):>15}{times(it['times']):>8}{times(it['lowest']):>9}{times(it['highest']):>9}"
            f"{it['validation']:>8.3f}{it['our_validation']:>8.3f}"
        )
    for absence in document["absent"]:
        print(f"absent: {absence['contestant']}: {absence['reason']}")
