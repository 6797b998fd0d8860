#!/usr/bin/env bats
# The lists: what there is to choose from.
load helper

@test "the whole list has rules, problems and instruction sets in 80 columns" {
    run --separate-stderr rmsprop list
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    fits_80_columns
    for word in sgd adagrad rmsprop adam lion Hinton pytorch laprop digits baseline chosen; do
        [[ "$output" == *"$word"* ]]
    done
}

@test "a subject narrows the list" {
    run rmsprop list problems
    [[ "$output" == *"digits"* && "$output" != *"baseline"* && "$output" != *"Hinton"* ]]
    run rmsprop list isas
    [[ "$output" == *"baseline"* && "$output" != *"digits"* ]]
    run rmsprop list rules
    [[ "$output" == *"Hinton"* && "$output" == *"Kingma"* && "$output" != *"digits"* ]]
}

@test "a rule shows its options with default and bounds" {
    run rmsprop list rmsprop
    [ "$status" -eq 0 ]
    [[ "$output" =~ rho\ +0.99\ +0\ to\ below\ 1 ]]
    [[ "$output" =~ eps\ +1e-08\ +0\ or\ more ]]
    [[ "$output" != *"beta1"* ]]
    fits_80_columns
}

@test "how state is kept and zeroed gradients are options of every rule" {
    rmsprop list --json | jq -e 'all(.rules[].options;
        (.[] | select(.key == "state_format") | .default == "full" and .choices == "full, 16-bit, 8-bit" and .per_group) and
        (.[] | select(.key == "zero_grad") | .default == false and .type == "flag" and (.per_group | not)))'
    run rmsprop list lion
    [[ "$output" =~ state_format\ +full\ +a\ name ]]
    [[ "$output" =~ zero_grad\ +false\ +true,\ false ]]
}

@test "--presets tells name, title, version, source and values of each" {
    run --separate-stderr rmsprop list --presets
    [ "$status" -eq 0 ]
    fits_80_columns
    [[ "$output" == *"pytorch         PyTorch, torch.optim.RMSprop
                  torch/optim/rmsprop.py, 2."*"
                  lr 0.01, rho 0.99, eps 1e-08
"* ]]
    [[ "$output" == *"lr 0.01, rho 0.9, eps_inside 1e-10, initial_accumulator 1,
                  lr_in_momentum true"* ]]
    [[ "$output" != *"digits"* && "$output" != *"instruction sets"* ]]
    [ "$output" = "$(rmsprop list presets)" ]
    [ "$(rmsprop list --presets | grep -cE '^  [a-z]')" -eq "$(rmsprop list --presets --json | jq '.presets | length')" ]
}

@test "a preset's name shows that preset" {
    run rmsprop list dqn-nature
    [ "$status" -eq 0 ]
    [[ "$output" == *"lr 0.00025, rho 0.95, eps_inside 0.01, centered true"* && "$output" != *"pytorch"* ]]
    rmsprop list keras --json | jq -e '.preset | .rule == "rmsprop" and .options.eps_inside == 1e-7 and .options.eps == 0 and
        (.version | length > 0) and .source == "keras/src/optimizers/rmsprop.py" and .recipe == false'
}

@test "presets as JSON have all options, and frameworks before recipes" {
    rmsprop list --presets --json | jq -e '(.presets | length > 20) and (.presets[0].name == "pytorch") and
        ([.presets[].recipe] | . == sort) and all(.presets[]; .options | has("lr") and has("clip_norm"))'
}

@test "--json holds the same" {
    rmsprop list --json | jq -e '
        ([.rules[].name] == ["sgd", "adagrad", "rmsprop", "adam", "rprop", "adadelta", "adamax", "nadam", "radam", "lion"]) and
        (.rules[2] | .slots == ["v", "mean", "momentum"] and (.source | test("Hinton")) and
            (.options[] | select(.key == "rho") | .default == 0.99 and .minimum == 0 and .maximum < 1)) and
        (.problems[0] | .name == "digits" and .steps > .quick_steps) and
        ([.instruction_sets[] | select(.chosen)] | length == 1 and .[0].runs)'
    rmsprop list rmsprop --json | jq -e '.rule.name == "rmsprop" and (has("rules") | not)'
    rmsprop list problems --json | jq -e 'has("problems") and (has("rules") | not)'
    rmsprop list --json | jq -e 'has("presets") and has("problems")'
}

@test "RMSPROP_ISA changes what is chosen" {
    RMSPROP_ISA=baseline rmsprop list isas | grep -q 'baseline *runs here, chosen'
}

@test "an unknown subject is refused with the choices" {
    refuses 2 '"rules" and --presets are both given' rmsprop list rules --presets
    refuses 2 "expected one of rules, presets, problems, isas, sgd, adagrad, rmsprop, adam, rprop, adadelta, adamax, nadam, \
radam, lion, or the name of a preset or problem" rmsprop list foo
}
