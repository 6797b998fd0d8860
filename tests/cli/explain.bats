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
    holds '.formula[1] == "p ← p − η·g/√(v + ε'"'"')"' --set eps_inside=0.01 --set eps=0
    holds '.formula[1] == "p ← p − η·g/(√(v/(1−ρ^t)) + ε)"' --set bias_correction=true
    holds '.formula[1:] == ["b ← μ·b + g/(√v + ε)", "p ← p − η·b"]' --set momentum=0.9
    holds '.formula[1:] == ["b ← μ·b + η·g/(√v + ε)", "p ← p − b"]' --set momentum=0.9 --set lr_in_momentum=1
    holds '.formula[2] == "p ← p − η·(g/(√v + ε) + μ·b)"' --set momentum=0.9 --set nesterov=true
    holds '.formula[:2] == ["g ← g₀ + λ·p", "v ← ρ·v + (1−ρ)·g²"]' --set l2_decay=0.1
    holds '.formula[0] == "g ← clip(±κ, −S·F·g₀) + λ·p"' --set l2_decay=0.1 --set maximize=true --set grad_scale=0.5 \
        --set clip_norm=1 --set clip_value=2
    holds '.formula[1] == "p ← (1 − η·δ)·p − η·g/(√v + ε)"' --set decoupled_decay=0.1
    holds '.formula[1:] == ["b ← μ·b + (1−μ)·g/(√v + ε)", "p ← p − η·b"]' --set momentum=0.9 --set momentum_average=1
    holds '.formula[2] == "p ← p − η·b/(1−μ^t)"' --preset laprop
    holds '.formula[2] == "A ← p"' --set average_decay=0.9
    holds '.formula[2] == "A ← α·A + (1−α)·p"' --set average_decay=0.9 --steps 2
}

@test "every rule has its formula" {
    holds '.rule == "sgd" and .formula == ["p ← p − η·g"]' --rule sgd
    holds '.formula == ["b ← μ·b + (1−τ)·g", "p ← p − η·b"]' --rule sgd --set momentum=0.9 --set dampening=0.5 --steps 2
    holds '.formula == ["s ← s + g²", "p ← p − η/(1 + (t−1)·d)·g/(√s + ε)"]' --rule adagrad --set lr_decay=0.1
    holds '.formula[2] == "p ← p − η/(1−β₁^t)·m/(√(v/(1−β₂^t)) + ε)"' --rule adam
    holds '.formula[2:] == ["a ← max(a, v)", "p ← p − η/(1−β₁^t)·m/(√(a/(1−β₂^t)) + ε)"]' --rule adam --set amsgrad=1
    holds '.formula[0] == "h ← min(h₊, max(h₋, x·h)) with x = η₊ if g·q > 0, η₋ if g·q < 0, else 1"' --rule rprop
    holds '.formula[1:] == ["Δ ← √(D + ε'"'"')/√(v + ε'"'"')·g", "D ← ρ·D + (1−ρ)·Δ²", "p ← p − η·Δ"]' --rule adadelta
    holds '.formula[1:] == ["l ← max(β₂·l, |g| + ε)", "p ← p − η/(1−β₁^t)·m/l"]' --rule adamax
    holds '.formula[:3] == ["μₜ ← β₁·(1 − 0.96^(t·ψ)/2)", "μₜ₊₁ ← β₁·(1 − 0.96^((t+1)·ψ)/2)", "Π ← Π·μₜ"]' --rule nadam
    holds '.formula[0] == "p ← p − η·sign(β₁·m + (1−β₁)·g)"' --rule lion
}

@test "RAdam divides once it has seen enough" {
    holds '.formula[-1] == "p ← p − η/(1−β₁^t)·m"' --rule radam --steps 5
    holds '.formula[-1] == "p ← p − η·r·√(1−β₂^t)/(1−β₁^t)·m/(√v + ε)"' --rule radam --steps 6
    run rmsprop explain --rule radam
    [[ "$output" == *"nothing divides a gradient by its own size yet"* ]]
}

@test "a preset's step has its eps, start, mean and momentum in their places" {
    holds '.preset == "pytorch" and .formula[1] == "p ← p − η·g/(√v + ε)"' --preset pytorch
    holds '.formula[1] == "p ← p − η·g/√(v + ε'"'"')" and .options.initial_accumulator == 1 and
        (.parameters[0].state.v - 10.9 | fabs) < 1e-5' --preset tensorflow
    holds '.formula[1:] == ["m ← ρ·m + (1−ρ)·g", "b ← μ·b + η·g/√(v − m² + ε'"'"')", "p ← p − b"]' --preset mxnet-centered
    holds '.formula[1:] == ["b ← μ·b + g/(√v + ε)", "p ← p − η·b"]' --preset burn
    holds '.formula[2] == "p ← p − (η·g/√(v + ε'"'"') + μ·b)"' --preset optax --set momentum=0.9 --set nesterov=true
    holds '.preset == null' --rule rmsprop
    run rmsprop explain --preset timm
    [ "$status" -eq 0 ]
    fits_80_columns
    [[ "$output" == *"timm, RMSpropTF (timm/optim/rmsprop_tf.py, 1."* && "$output" == *"starts at 1 "* &&
        "$output" == *"v starts at 1:"* ]]
}

# Works out every printed line of numbers, "v = 0.9·0 + (1−0.9)·10² = 10", with awk. The numbers have six digits, of
# which up to some twenty enter a line.
numbers_agree() {
    rmsprop explain --gradient=-3,0.25 "$@" >shown || return 1
    awk '/^Effective/ { exit } /^Gradient/ { inside = 1; next } !inside { next }
        /^      / { line = line " " $0; next } { if (line) print line; line = $0 } END { print line }' shown |
        grep ' = .* = ' | sed -E 's/·/*/g; s/−/-/g; s/±//g; s/²/^2/g; s/√(-?[0-9.e+-]+)/sqrt(\1)/g; s/√/sqrt/g
        s/\|([^|]*)\|/abs(\1)/g; s/^ *[^ ]+ = (.*) = ([^=]+)$/check(NR, \1, \2)/; s/NR/++line/' >lines
    [ -s lines ] || { cat shown; return 1; }
    awk "function abs(x) { return x < 0 ? -x : x }
        function max(x, y) { return x > y ? x : y }
        function min(x, y) { return x < y ? x : y }
        function sign(x) { return x > 0 ? 1 : x < 0 ? -1 : 0 }
        function clip(k, x) { return max(-k, min(k, x)) }
        function check(n, got, want) {
            if (abs(got - want) > 1e-4 * max(abs(want), 1e-3)) { print \"line \" n \": \" got \", not \" want; wrong = 1 }
        }
        BEGIN { $(tr '\n' ';' <lines) exit wrong }" || { cat shown lines; return 1; }
}

@test "the lines of numbers are true for every rule" {
    local rule steps
    for rule in $(rmsprop list rules --json | jq -r '.rules[].name'); do
        for steps in 1 2 7; do
            numbers_agree --rule "$rule" --steps "$steps"
            numbers_agree --rule "$rule" --steps "$steps" --set l2_decay=0.1 --set decoupled_decay=0.3 --set maximize=1 \
                --set grad_scale=0.5 --set clip_norm=1 --set clip_value=0.4 --set average_decay=0.75
        done
    done
}

@test "the lines of numbers are true for every preset" {
    local preset
    for preset in $(rmsprop list --presets --json | jq -r '.presets[].name'); do
        numbers_agree --preset "$preset" --steps 1
        numbers_agree --preset "$preset" --steps 4
    done
    numbers_agree --preset keras --set momentum=0.8 --set nesterov=1 --steps 3
    numbers_agree --rule rmsprop --set momentum=0.8 --set nesterov=1 --set bias_correction=1 --steps 3
    numbers_agree --rule sgd --set momentum=0.9 --set dampening=0.25 --set lr_in_momentum=1 --steps 3
    numbers_agree --rule adagrad --set lr_decay=0.5 --set initial_accumulator=2 --set eps_inside=0.1 --steps 3
    numbers_agree --rule adam --set amsgrad=1 --set eps_inside=0.01 --steps 3
    numbers_agree --rule adam --set bias_correction=0 --steps 2
}

@test "Rprop's step size shrinks when weight decay flips the sign" {
    run rmsprop explain --rule rprop --gradient=-0.5,1 --set l2_decay=0.51 --set lr=0.1 --steps 2
    [[ "$output" == *"h = min(50, max(1e-06, 0.5·0.1)) = 0.05"*"q = 0
  p = 0.9 − sign(0)·0.05 = 0.9"* ]]
}

# The printed rate, worked out by awk from the options and the state, against the library's.
rate_agrees() {
    rmsprop explain --json --steps 6 --gradient 3,3 "$@" >document
    local formula values
    formula=$(jq -r .rate document | sed -E "s/·/*/g; s/−/-/g; s/²/^2/g; s/√([a-z])/sqrt(\\1)/g; s/√/sqrt/g
        s/β₁/beta1/g; s/β₂/beta2/g; s/η/lr/g; s/ρ/rho/g; s/μ/momentum/g; s/τ/dampening/g; s/ε'/eps_inside/g; s/ε/eps/g")
    values=$(jq -r '(.options | to_entries[] | select(.value | type == "number") | "\(.key)=\(.value);"),
        "t=\(.steps); d=\(.options.lr_decay // 0);", (.parameters[0].state |
        "v=\(.v // 0); m=\(.mean // 0); s=\(.sum // 0); a=\(.v_max // 0); l=\(.largest // 0)",
        ";D=\(.delta // 0); h=\(.step_size // 0); N=2/(1-beta2)-1; n=N-2*t*beta2^t/(1-beta2^t)",
        ";r=n>5?sqrt((n-4)*(n-2)*N/((N-4)*(N-2)*n)):0")' document | tr -d '\n')
    awk -v told="$(jq '.parameters[0].effective_lr' document)" "BEGIN {
        beta2 = 0.5; $values; expected = $formula; error = told / expected - 1; exit !(error < 1e-3 && error > -1e-3)}" ||
        { echo "$formula with $values"; cat document; return 1; }
}

@test "the printed rate is the one that the library tells" {
    rate_agrees
    rate_agrees --set centered=true --set eps_inside=0.001
    rate_agrees --set bias_correction=true --set centered=true --set eps_inside=0.01
    rate_agrees --set momentum=0.9
    rate_agrees --set momentum=0.9 --set nesterov=true
    rate_agrees --set momentum=0.8 --set nesterov=true --set lr_in_momentum=true --set eps=0 --set eps_inside=0.1
    rate_agrees --set momentum=0.8 --set momentum_average=true
    rate_agrees --preset laprop
    rate_agrees --preset mxnet-centered
    rate_agrees --preset tensorflow
    local rule
    for rule in sgd adagrad adam rprop adadelta adamax radam lion; do
        rate_agrees --rule "$rule"
    done
    rate_agrees --rule sgd --set momentum=0.9 --set dampening=0.3
    rate_agrees --rule adam --set amsgrad=true
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
    local rule
    for rule in $(rmsprop list rules --json | jq -r '.rules[].name'); do
        run rmsprop explain --rule "$rule" --steps 3 --gradient=-1e-7,12345.678 --set l2_decay=0.01 --set decoupled_decay=0.1 \
            --set clip_norm=1 --set clip_value=0.5 --set grad_scale=0.125 --set maximize=1 --set average_decay=0.5
        [ "$status" -eq 0 ]
        fits_80_columns
    done
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
    refuses 2 '--preset: torch: not a preset; choose from pytorch, tensorflow, keras' rmsprop explain --preset torch
    refuses 2 '--rule: no rule is called "foo"' rmsprop explain --rule foo
    refuses 2 '--rule and --preset are both given' rmsprop explain --rule rmsprop --preset keras
    refuses 2 'nesterov needs momentum' rmsprop explain --set nesterov=true
    refuses 2 'state_format: numbers here are those of full state' rmsprop explain --set state_format=8-bit
    refuses 2 'centered needs full state' rmsprop explain --set state_format=16-bit --set centered=true
    refuses 2 'zero_grad: gradients here are the same at each step' rmsprop explain --set zero_grad=true
    local isa
    isa=$(rmsprop list isas --json | jq -r '[.instruction_sets[] | select(.runs | not).name][0] // empty')
    [ -z "$isa" ] || refuses 2 "--set: " rmsprop explain --set isa="$isa"
    RMSPROP_ISA=vax refuses 1 'RMSPROP_ISA=vax' rmsprop explain
}
