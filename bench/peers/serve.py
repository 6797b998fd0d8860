"""What contestants written in Python share: they read requests from stdin and write answers to stdout, one JSON object
a line, until stdin ends. The same protocol as requests.c's."""

import json
import os
import sys
import time

FIRST_STEPS = 3
BATCH_MAX = 1024


class Contestant:
    """A case made ready: what prepare() returns."""

    def __init__(self, step, ends, wait=lambda: None):
        self.step = step  # performs one step, or begins it
        self.wait = wait  # returns when the steps begun have ended
        self.ends = ends  # the first and the last parameter
        self.after_first_steps = None


def gradients(numpy, request):
    """One array per tensor: the numbers of requests.c, far from anything special."""
    index = numpy.arange(8)
    pattern = ((0.01 + 0.00125 * index) * (1 - 2 * (index % 2))).astype(numpy.float32)
    return [numpy.resize(pattern, request["count"]) for _ in range(request["tensors"])]


def time_steps(contestant, seconds):
    """Steps for about so many seconds. The first step, untimed, brings caches and threads back from what others have
    done meanwhile."""
    contestant.step()
    contestant.wait()
    steps, batch, elapsed = 0, 1, 0.0
    cpu_start, start = time.process_time(), time.perf_counter()
    while elapsed < seconds:
        for _ in range(batch):
            contestant.step()
        contestant.wait()
        steps += batch
        batch = min(2 * batch, BATCH_MAX)
        elapsed = time.perf_counter() - start
    first, last = contestant.after_first_steps
    return {
        "seconds": elapsed / steps,
        "steps": steps,
        "processors": (time.process_time() - cpu_start) / elapsed,
        "first": first,
        "last": last,
    }


def ready(prepare, request):
    contestant = prepare(request)
    for _ in range(FIRST_STEPS):
        contestant.step()
    contestant.wait()
    contestant.after_first_steps = [float(end) for end in contestant.ends()]
    return contestant


def serve(prepare):
    """Answers requests. What frameworks print goes to stderr. The contestants of one case are kept, since they take
    turns; a request for another case lets them go."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    case, contestants = None, {}
    for line in sys.stdin:
        request = json.loads(line)
        wanted = [request[key] for key in ("rule", "tensors", "count")]
        if wanted != case:
            case, contestants = wanted, {}
        try:
            if request["mode"] not in contestants:
                contestants[request["mode"]] = ready(prepare, request)
            answer = time_steps(contestants[request["mode"]], request["seconds"])
        except Exception as error:  # whatever a framework throws is the reason why not
            answer = {"reason": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
