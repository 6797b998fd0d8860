#!/usr/bin/env bats
# One step explained: the formula that stands, with the library's numbers.
load helper

# explain's document, narrowed by a filter that must hold.
holds() {
    local filter=$1
    shift
    rmsprop explain --json "$@" >document
    jq -e "$filter" document >/dev/null || { cat document; return 1; }
}

@test "the plain formula, and the first move of ten times the learning rate" {
    run --separate-stderr rmsprop explain
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    fits_80_columns
    [[ "$output" == *"v ← ρ·v + (1−ρ)·g²"* && "$output" == *"p ← p − η·g/(√v + ε)"* ]]
    [[ "$output" == *"v = 0.99·0 + (1−0.99)·10² = 1"* && "$output" == *"p = 0 − 0.01·10/(√1 + 1e-08) = -0.1"* ]]
    [[ "$output" == *"differ by a factor of 100, the last moves by a factor of 1:"* ]]
    [[ "$output" == *"The first move is η/√(1−ρ) = 0.1"* ]]
}

@test "both parameters move alike, their effective rates differ as their gradients" {
    holds '.parameters | (.[0].last_move / .[1].last_move - 1 | fabs) < 1e-5 and
        (.[1].effective_lr / .[0].effective_lr / 100 - 1 | fabs) < 1e-5'
}

@test "moves shrink towards the learning rate" {
    holds '.parameters[0] | (.first_move + 0.1 | fabs) < 1e-6 and (.last_move + 0.01 | fabs) < 1e-5' --steps 2000
}

@test "--gradient sets the gradients" {
    holds '[.parameters[].gradient] == [-3, 4]' --gradient=-3,4
}

@test "the formula follows the options" {
    holds '.formula | length == 3 and .[2] == "p ← p − η·g/(√(v − m²) + ε)"' --set centered=true
    holds '.formula[1] == "p ← p − η·g/√(v + δ)"' --set eps_inside=0.01 --set eps=0
    holds '.formula[1] == "p ← p − η·g/(√(v/(1−ρ^t)) + ε)"' --set bias_correction=true
    holds '.formula[1:] == ["b ← μ·b + g/(√v + ε)", "p ← p − η·b"]' --set momentum=0.9
    holds '.formula[1:] == ["b ← μ·b + η·g/(√v + ε)", "p ← p − b"]' --set momentum=0.9 --set lr_in_momentum=1
    holds '.formula[2] == "p ← p − η·(g/(√v + ε) + μ·b)"' --set momentum=0.9 --set nesterov=true
    holds '.formula[0] == "v ← ρ·v + (1−ρ)·(g + λ·p)²"' --set l2_decay=0.1
    holds '.formula[1] == "p ← (1 − η·κ)·p − η·g/(√v + ε)"' --set decoupled_decay=0.1
}

# The printed rate, worked out by awk from the options and the state, against the library's.
rate_agrees() {
    rmsprop explain --json --steps 3 --gradient 3,3 "$@" >document
    local formula values
    formula=$(jq -r .rate document | sed 's/·/*/g; s/−/-/g; s/²/^2/g; s/√v/sqrt(v)/; s/√/sqrt/
        s/η/lr/g; s/ρ/rho/g; s/μ/momentum/g; s/ε/eps/g; s/δ/eps_inside/g')
    values=$(jq -r '(.options | to_entries[] | select(.value | type == "number") | "\(.key)=\(.value);"),
        "t=\(.steps); v=\(.parameters[0].state.v); m=\(.parameters[0].state.mean // 0)"' document | tr -d '\n')
    awk -v told="$(jq '.parameters[0].effective_lr' document)" "BEGIN {
        $values; expected = $formula; error = told / expected - 1; exit !(error < 1e-3 && error > -1e-3)}" ||
        { echo "$formula with $values"; cat document; return 1; }
}

@test "the printed rate is the one that the library tells" {
    rate_agrees
    rate_agrees --set centered=true --set eps_inside=0.001
    rate_agrees --set bias_correction=true --set centered=true --set eps_inside=0.01
    rate_agrees --set momentum=0.9
    rate_agrees --set momentum=0.9 --set nesterov=true
    rate_agrees --set momentum=0.8 --set nesterov=true --set lr_in_momentum=true --set eps=0 --set eps_inside=0.1
    [ "$(rmsprop explain --json --set momentum=0.9 --set nesterov=true | jq -r .rate)" = "(1+μ)·η/(√v + ε)" ]
}

@test "with bias correction the first move is the learning rate" {
    holds '.parameters[0].first_move + 0.01 | fabs < 1e-7' --set bias_correction=true
    run rmsprop explain --set bias_correction=true
    [[ "$output" == *"The first move is η = 0.01"* ]]
}

@test "what holds only for the plain rule is not said of others" {
    run rmsprop explain --set eps=10
    [[ "$output" != *"The first move is"* && "$output" != *"nearly cancels"* ]]
    run rmsprop explain --gradient 0,1
    [[ "$output" == *"A gradient of 0 moves nothing"* ]]
}

@test "all options together fit 80 columns" {
    run rmsprop explain --steps 3 --gradient=-1e-7,12345.678 --set centered=1 --set bias_correction=1 \
        --set momentum=0.9 --set nesterov=1 --set lr_in_momentum=1 --set eps_inside=1e-4 --set l2_decay=0.01 \
        --set decoupled_decay=0.1 --set clip_norm=1 --set clip_value=0.5 --set grad_scale=0.125 --set maximize=1
    [ "$status" -eq 0 ]
    fits_80_columns
}

@test "wrong usage is refused in one sentence that says how" {
    refuses 2 '--gradient: "x" is not a number' rmsprop explain --gradient x,1
    refuses 2 '--gradient: only one number' rmsprop explain --gradient 1
    refuses 2 '--gradient: more than two numbers' rmsprop explain --gradient 1,2,3
    refuses 2 '--gradient: nan is not finite' rmsprop explain --gradient nan,1
    refuses 2 '--gradient: 1e39 is not finite as a float' rmsprop explain --gradient 1,1e39
    refuses 2 '--steps: 0 is out of bounds (expected 1 to' rmsprop explain --steps 0
    refuses 2 '--set: "rho" is not of the form key=value' rmsprop explain --set rho
    refuses 2 'rho = 2 is out of bounds' rmsprop explain --set rho=2
    refuses 2 'not an option of rmsprop; choose from lr, rho' rmsprop explain --set beta1=0.9
    refuses 2 'nesterov needs momentum' rmsprop explain --set nesterov=true
    local isa
    isa=$(rmsprop list isas --json | jq -r '[.instruction_sets[] | select(.runs | not).name][0] // empty')
    [ -z "$isa" ] || refuses 2 "--set: " rmsprop explain --set isa="$isa"
    RMSPROP_ISA=vax refuses 1 'RMSPROP_ISA=vax' rmsprop explain
}
