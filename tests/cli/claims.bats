#!/usr/bin/env bats
# Claims: what is printed and written, and that figures depend on nothing but the seed.
load helper

@test "the text has verdict, figures with what was expected, what was run, and how to run it again" {
    run --separate-stderr rmsprop claims memory flat --quick --quiet
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    fits_80_columns
    [[ "$output" == *"2  memory"*"holds"*"5  flat"*"mixed"* ]]
    [[ "$output" == *"holds  rho 0.9: rate after a gradient of 100 over before"*"0.0316"*"<= 0.5"* ]]
    [[ "$output" == *"fails  first step on steep ground over the one before"*"9.95"*"< 1"* ]]
    [[ "$output" == *"No chance is in it."* ]]
    [[ "$output" == *"again rmsprop claims --seed 1 --quick memory"* ]]
    [[ "$output" == *"Summary"*" 2  memory       holds          8 of 8 checks"*" 5  flat         mixed          4 of 7 checks"* ]]
    [[ "$output" == *"again   rmsprop claims --seed 1 --quick memory flat"* ]]
}

@test "where chance has a part, figures have intervals" {
    run --separate-stderr rmsprop claims together --quick --quiet
    [ "$status" -eq 0 ]
    [[ "$output" =~ "RMSProp: last half-way time over first"\ *1\.0[0-9]*\ \[1\.0[0-9]*,\ 1\.0[0-9]*\] ]]
}

@test "JSON tells the same, in the file and on stdout" {
    rmsprop claims scale-jump --quick --quiet --json >stdout.json
    cmp stdout.json out/claims.json
    jq -e '.claims | length == 1' stdout.json
    jq -e '.claims[0] | .name == "scale-jump" and .verdict == "holds" and .question and .checks == .checks_held' stdout.json
    jq -e '[.claims[0].figures[] | select(.key == "adam-peak")][0] | .value > 6.56 and .value < 6.58 and
           .low == null and .check.expects == "within" and .check.outcome == "holds"' stdout.json
    jq -e '.claims[0].charts[0].series | length >= 4' stdout.json
    jq -e '.machine.version and .seed == 1 and .quick and (.interrupted | not)' stdout.json
}

# Tags that match, identifiers that are met, and nothing that a browser would fetch.
@test "the page is well-formed and needs nothing else" {
    command -v python3 >/dev/null || skip "python3 is not installed"
    rmsprop claims memory together --quick --quiet >/dev/null
    python3 - out/claims.html <<'END'
import html.parser, sys
page = open(sys.argv[1], encoding="utf-8").read()
empty = {"meta", "link", "br", "hr", "img", "input"}
class Reader(html.parser.HTMLParser):
    stack, ids, links, words = [], [], [], []
    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag not in empty:
            self.stack.append(tag)
        for name, value in attributes:
            assert name not in ("src", "srcset", "onclick", "onload"), (tag, name)
            assert "url(" not in (value or "") and "http" not in (value or ""), (tag, value)
        assert tag not in ("script", "link", "img", "iframe"), tag
        if "id" in named:
            assert named["id"] not in self.ids, named["id"]
            self.ids.append(named["id"])
        if "href" in named:
            self.links.append(named["href"])
        self.words += (named.get("aria-labelledby") or "").split()
    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in empty:
            self.stack.pop()
    def handle_endtag(self, tag):
        assert self.stack and self.stack[-1] == tag, (self.stack, tag)
        self.stack.pop()
reader = Reader()
reader.feed(page)
assert not reader.stack, reader.stack
for link in reader.links:
    assert link[0] == "#" and link[1:] in reader.ids, link
for word in reader.words:
    assert word in reader.ids, word
assert '<html lang="en">' in page and 'name="viewport"' in page and "prefers-color-scheme:dark" in page
assert page.count("<svg class=\"chart\"") == 2 and page.count("<desc") == 2
assert "@import" not in page and "url(" not in page and "NaN" not in page and "nan " not in page
END
}

@test "figures are the same again, and on one thread and two" {
    rmsprop claims balance together --quick --quiet --json --threads 1 | jq -c .claims >one
    rmsprop claims balance together --quick --quiet --json --threads 2 | jq -c .claims >two
    rmsprop claims balance together --quick --quiet --json --seed 2 --threads 2 | jq -c .claims >other
    cmp one two
    run ! cmp -s one other
}

@test "pictures and nothing unfinished lie in the folder" {
    rmsprop claims memory --quick --quiet --out pictures >/dev/null
    [ -s pictures/claims.html ] && [ -s pictures/claims.json ]
    [ -s pictures/memory-rate.svg ] && [ -s pictures/memory-rate.png ] && [ -s pictures/memory-rate-dark.svg ]
    no_file_begun pictures
}

@test "names that are none, or are there twice, are refused before anything is run" {
    refuses 2 'no claim is called "memroy"; did you mean memory?' rmsprop claims memroy
    refuses 2 'no claim is called "everything" (expected some of balance, memory, ' rmsprop claims everything
    refuses 2 "memory is there twice" rmsprop claims memory flat memory
    refuses 2 "no option is called" rmsprop claims --optimizers adam
    [ ! -e out ]
}

@test "a folder that cannot be made is told of" {
    touch file
    refuses 1 "file" rmsprop claims memory --quick --quiet --out file/within
}

@test "a disk that fills up is told of, leaves nothing half done, and the findings are printed all the same" {
    run bash -c 'ulimit -f 16; "$RMSPROP_COMMAND" claims memory --quick --quiet 2>message >text; echo $? >status'
    [ "$(cat status)" -eq 1 ]
    [ "$(wc -l <message)" -eq 1 ]
    grep -q 'cannot write out/claims.html' message
    grep -q '^2  memory .*holds' text
    no_file_begun out
}

@test "Ctrl-C reports what is finished and exits with 130" {
    status=0
    env --default-signal timeout --foreground --preserve-status -s INT 1.5 \
        "$RMSPROP_COMMAND" claims memory reset >text 2>errors || status=$?
    [ "$status" -eq 130 ]
    grep -q '^rmsprop: claim 2 of 2: reset' errors
    grep -q '^2  memory .*holds' text
    grep -q '^Not finished: 1 of 2 claims are' text
    grep -q '^10  *reset  *not run' text
    jq -e '.interrupted and (.claims | length == 1)' out/claims.json
    no_file_begun out
}
