# Counts test cases in a suite's output: lines of cmocka, also behind `ctest -V`, and of TAP. A program that
# ctest runs and that reports no cases counts as one. Prints "PASSED FAILED SKIPPED", then a line for each
# case that failed ("failed NAME") or was skipped ("skipped NAME").

function count(result, name) {
    total[result]++
    cases[id]++
    if (result == "failed")
        failures[id]++
    if (result != "passed")
        names[++name_count] = result " " name
}

# A case that began and never ended: its program died in it.
function bury() {
    if (running[id] != "")
        count("failed", running[id] " (the program ended in the middle of it)")
    running[id] = ""
}

{
    id = ""
    line = $0
    sub(/\r$/, "", line)
    if (match(line, /^[0-9]+: /)) {
        id = substr(line, 1, RLENGTH - 2)
        line = substr(line, RLENGTH + 1)
    }
}

line ~ /^\[ RUN      \] / {
    bury()
    running[id] = substr(line, 14)
}

# cmocka repeats failed and skipped cases in its summary, where none is running.
line ~ /^\[(       OK |  FAILED  |  SKIPPED )\] / {
    if (running[id] == substr(line, 14)) {
        running[id] = ""
        word = substr(line, 1, 12)
        count(word ~ /OK/ ? "passed" : word ~ /FAILED/ ? "failed" : "skipped", substr(line, 14))
    }
}

line ~ /^(not )?ok [0-9]/ {
    name = line
    sub(/^(not )?ok [0-9]+ *(- )?/, "", name)
    tap++
    if (line ~ /^not/)
        count("failed", name)
    else if (tolower(line) ~ /# skip/)
        count("skipped", name)
    else
        count("passed", name)
}

line ~ /^1\.\.[0-9]+$/ {
    planned += substr(line, 4)
}

# ctest's verdict: " 3/12 Test  #3: name ......   Passed    0.03 sec"
id == "" && line ~ /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
    match(line, /#[0-9]+/)
    id = substr(line, RSTART + 1, RLENGTH - 1)
    bury()
    name = line
    sub(/^[^:]*: /, "", name)
    sub(/ \.*.*$/, "", name)
    verdict = line ~ / Passed +[0-9.]+ sec/ ? "passed" : line ~ /\*\*\*Skipped/ ? "skipped" : "failed"
    if (!cases[id])
        count(verdict, name)
    else if (verdict == "failed" && !failures[id])
        count("failed", name " (every case passed, but the program failed)")
}

END {
    for (id in running)
        bury()
    id = ""
    for (; tap < planned; tap++)
        count("failed", "a test that was planned and not run")
    printf "%d %d %d\n", total["passed"], total["failed"], total["skipped"]
    for (i = 1; i <= name_count; i++)
        print names[i]
}
