"""What the generators share: the hard gradients, drawn from integers so that golden_data.c makes the same numbers,
and the writing of a golden file. README.md describes the format."""

import platform
import struct

STEPS_KEPT = (1, 2, 5, 10, 20, 50)
KINDS = 14
COUNT = 2 * KINDS
CONSTANT_STEPS = 3000
MASK = (1 << 64) - 1


class Random:
    """splitmix64, as in tests/support.c."""

    def __init__(self, seed):
        self.state = seed & MASK

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def number(self, dtype):
        """A number of [-1, 1) with all the bits of its dtype: a multiple of 2^-23 or of 2^-52."""
        digits = {"f32": 23, "f64": 52}[dtype]
        return ((self.bits() >> (63 - digits)) - (1 << digits)) / (1 << digits)


def gradient(kind, step, draw, fixed):
    """One gradient; draw is new at every step, fixed is the element's own. Exact in the dtype of both."""
    return {
        0: 0.0,
        1: draw * 2.0**-100,                      # near 1e-30: its square vanishes in float
        2: draw * 2.0**-70,                       # its square is subnormal in float
        3: draw * 2.0**33,
        4: fixed,                                 # constant
        5: fixed if step % 2 == 0 else -fixed,    # the sign flips
        6: draw if step % 7 == 0 else 0.0,        # sparse, from the seventh step on
        7: draw * 2.0**33 if step == 1 else draw,
        8: draw * 2.0**-12,
        9: draw * 2.0**10,
        10: draw * 2.0**100,                      # near 1e30: its square overflows float
        11: draw * 2.0**100 if step == 3 else draw,
    }.get(kind, draw)


def gradients(dtype, step):
    draws = Random(step)
    own = Random(1000)
    return [gradient(i % KINDS, step, draws.number(dtype), own.number(dtype)) for i in range(COUNT)]


def parameters(dtype):
    """The second element of each kind starts at 0, where nothing hides the error of the movement."""
    draws = Random(2000)
    return [2.0 * draws.number(dtype) if i < KINDS else 0.0 for i in range(COUNT)]


def rounded(dtype, value):
    return struct.unpack("f", struct.pack("f", value))[0] if dtype == "f32" else value


def hexadecimal(value):
    """C99's notation, as short as it goes; nan, inf and -inf for the rest."""
    text = float(value).hex()
    if "p" not in text:
        return text
    mantissa, exponent = text.split("p")
    return mantissa.rstrip("0").rstrip(".") + "p" + exponent if "." in mantissa else text


def written(options):
    """The library's options as its text form takes them: "preset=keras lr=0.01 centered=true"."""
    return " ".join(f"{key}={str(value).lower() if isinstance(value, bool) else value}"
                    for key, value in options.items())


WRITTEN = {"sets": 0, "constants": 0}


def header(framework, versions):
    """framework is what the table calls it; versions is text, to which Python's is added."""
    print("# Made by a generator beside this file; README.md describes the format.")
    print(f"framework {framework}")
    print(f"versions {versions}, python {platform.python_version()}")


def arithmetic(*words):
    """How the sets that follow round differently from the library: words that golden_bounds.h explains."""
    print("arithmetic", *words)


def footer():
    """The last line, so that a file that was cut off is noticed."""
    print("end", WRITTEN["sets"], WRITTEN["constants"])


def write_set(name, call, options, begin, dtypes=("f32", "f64")):
    """Writes one set of options, once for each dtype.

    call     how the framework was called, for the table's readers: "RMSprop(momentum=0.9)"
    options  the same in the library's words, a dict whose first key is preset or rule, then only what differs from
             it; a key "21:lr" takes effect before step 21
    begin    begin(dtype, parameters) returns a function step(number, gradients) that returns the parameters after
             the step; both are lists of Python floats, exact in the dtype
    """
    for dtype in dtypes:
        print(f'set {name} {dtype} "{call}" {written(options)}')
        WRITTEN["sets"] += 1
        step = begin(dtype, parameters(dtype))
        for number in range(1, STEPS_KEPT[-1] + 1):
            after = step(number, gradients(dtype, number))
            if number in STEPS_KEPT:
                print(number, *map(hexadecimal, after))


ROWS_WIDTH = 2


def rows(dtype, step):
    """The gradient of one step as some rows of a matrix with two columns: their numbers, from the last to the first,
    and one of them again, and the two numbers of each."""
    indices = [r for r in reversed(range(COUNT // ROWS_WIDTH)) if (5 * r + step) % 3 == 0]
    first, again = gradients(dtype, step), gradients(dtype, step + 100)
    values = [first[r * ROWS_WIDTH:(r + 1) * ROWS_WIDTH] for r in indices]
    repeated = indices[0]
    return indices + [repeated], values + [again[repeated * ROWS_WIDTH:(repeated + 1) * ROWS_WIDTH]]


def write_rows(name, call, options, mode, begin, dtypes=("f32", "f64")):
    """As write_set, but the gradient is given as rows; mode is what that means to the others, lazy or dense. What
    begin returns is step(number, indices, values), values a list of rows."""
    for dtype in dtypes:
        print(f'rows {name} {dtype} {mode} "{call}" {written(options)}')
        WRITTEN["sets"] += 1
        step = begin(dtype, parameters(dtype))
        for number in range(1, STEPS_KEPT[-1] + 1):
            after = step(number, *rows(dtype, number))
            if number in STEPS_KEPT:
                print(number, *map(hexadecimal, after))


def write_constant(dtype, constant, call, options, begin):
    """A gradient that never changes, for centered variance: writes the step after which the framework's only
    parameter, 1 at first, is NaN; 0 if it never is within CONSTANT_STEPS."""
    constant = rounded(dtype, constant)
    step = begin(dtype, [1.0])
    first_nan = 0
    for number in range(1, CONSTANT_STEPS + 1):
        after = step(number, [constant])[0]
        if after != after:
            first_nan = number
            break
    WRITTEN["constants"] += 1
    print(f'constant {dtype} {hexadecimal(constant)} {first_nan} "{call}" {written(options)}')
