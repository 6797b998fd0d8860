"""The tables that `./run bench --peers` prints: a rule each, a contestant a line, a case a column."""

import textwrap


def in_words(number):
    """1000000 as 1 M."""
    return f"{number // 1_000_000} M" if number >= 1_000_000 else f"{number:,}"


def case_words(case):
    tensors, count, threads = case
    size = in_words(count) if tensors == 1 else f"{in_words(tensors)} × {in_words(count)}"
    return size, f"{threads} thread{'s' if threads > 1 else ''}"


def duration(seconds):
    for unit, factor in (("ns", 1e9), ("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 1000 or unit == "ms":
            return f"{seconds * factor:.3g} {unit}"


def times(ratio):
    return f"{ratio:,.0f}" if ratio >= 9.95 else f"{ratio:.1f}" if ratio >= 1.995 else f"{ratio:.2f}"


def case_of(result):
    return result["tensors"], result["count"], result["threads"]


def order(case):
    """From small to large, threads last."""
    tensors, count, threads = case
    return tensors * count, count, threads


def where(cases):
    """The sizes of cases, as " (1 M, 30 M)"; nothing for everywhere."""
    sizes = dict.fromkeys(" on ".join(case_words(case_of(case))) for case in cases)
    return f" ({', '.join(sizes)})" if sizes else ""


def print_row(name, cells, mark=""):
    print(f"{name:<31}" + "".join(f"{cell:>13}" for cell in cells) + mark)


def cell_of(results, name, case):
    for result in results:
        if result["contestant"] == name and case_of(result) == case:
            return times(result["times"]) + ("" if result["agrees"] else "*")
    return "–"


def our_time(results, case):
    found = [it["our_seconds"] for it in results if case_of(it) == case and it["compared_with"] == "unchecked"]
    return duration(sorted(found)[len(found) // 2]) if found else "–"


def print_rule(rule, results, names):
    cases = sorted({case_of(result) for result in results}, key=order)
    print()
    print_row(rule, [case_words(case)[0] for case in cases])
    print_row("", [case_words(case)[1] for case in cases])
    print_row("this library, a step", [our_time(results, case) for case in cases])
    for name in names:
        if any(result["contestant"] == name for result in results):
            print_row(f"  {name}", [cell_of(results, name, case) for case in cases])


def print_disagreement(result):
    name = f"{result['contestant']}, {result['rule']}, {case_words(case_of(result))[0]}"
    theirs, ours = ("{:.6f} and {:.6f}".format(*result[key]) for key in ("parameters", "our_parameters"))
    print(f"* {name}: after three steps its first and last parameter are {theirs}, ours {ours}")


def print_tables(document, names):
    if document["interrupted"]:
        print("Interrupted: what was measured until then.")
    if document["quick"]:
        print("Indicative: few cases, few rounds (--quick).")
    print("Time of a step, f32, as multiples of this library's: above 1 this library is faster, below 1 the other.")
    print(f"Medians of {document['rounds']} ratios of bursts in turn. Columns: numbers in a tensor, or tensors")
    print("× numbers in each.")
    for rule in dict.fromkeys(result["rule"] for result in document["results"]):
        print_rule(rule, [result for result in document["results"] if result["rule"] == rule], names)
    print()
    print("This library: a call from C; gradients are not looked at for NaN, which no peer does either. bitsandbytes")
    print("is compared with this library's state in 8 bits.")
    for result in document["results"]:
        if not result["agrees"]:
            print_disagreement(result)
    for absence in document["absent"]:
        print(f"absent: {absence['contestant']}{where(absence['cases'])}: {textwrap.shorten(absence['reason'], 200)}")
    versions = ", ".join(f"{name} {version}" for name, version in sorted(document["versions"].items()))
    print(f"{document['machine']['rmsprop']}; {versions}")
