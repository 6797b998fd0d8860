"""Contestants as processes: each gets a request a line and answers it; only one works at a time."""

import json
import os
import select
import subprocess
import time

TIME_LIMIT = 180  # seconds for an answer, the compilation of a case included


def environment(threads, variables):
    """Threads, as each framework is told of them; those that wait sleep, since the others want the processors."""
    return (
        os.environ
        | {
            "OMP_NUM_THREADS": str(threads),
            "OMP_WAIT_POLICY": "passive",
            "MKL_NUM_THREADS": str(threads),
            "NPROC": str(threads),  # XLA's pool, in JAX
            "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}",
            "TF_NUM_INTRAOP_THREADS": str(threads),
            "TF_NUM_INTEROP_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "JAX_PLATFORMS": "cpu",
            "KERAS_BACKEND": "tensorflow",
        }
        | variables
    )


class Worker:
    """A process that is started when it is first asked, and again after it has died."""

    def __init__(self, command, log, variables):
        self.command, self.log, self.variables = command, log, variables
        self.process = None
        self.unread = b""

    def start(self):
        self.unread = b""
        # A session of its own: Ctrl-C is the driver's to handle.
        with open(self.log, "wb") as errors:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self.variables,
                start_new_session=True,
            )

    def read_line(self):
        deadline = time.monotonic() + TIME_LIMIT
        while b"\n" not in self.unread:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"no answer within {TIME_LIMIT} s")
            got = os.read(self.process.stdout.fileno(), 65536)
            if not got:
                raise EOFError(self.last_words())
            self.unread += got
        line, self.unread = self.unread.split(b"\n", 1)
        return line

    def last_words(self):
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return f"it ended{': ' + lines[-1] if lines else ''}"

    def ask(self, request):
        """The answer, or {"reason": why there is none}."""
        try:
            if self.process is None:
                self.start()
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            return json.loads(self.read_line())
        except (OSError, EOFError, ValueError) as error:  # TimeoutError is an OSError
            self.stop()
            return {"reason": str(error)}

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None
