# Which worker crate runs which kind of job. Nothing lists them: a job declares its kind, and its crate's binary registers the job.
# shellcheck shell=bash

# One `KIND CRATE TYPE` a line: every job in the sources of a worker crate, whether its binary runs it or not.
declared_jobs() {
    find crates/worker-*/src -name '*.rs' ! -path '*/tests*' -exec awk '
        /^ *\/\// { next }
        / Job for [A-Z]/ { job = $0; sub(/.* Job for /, "", job); sub(/[^A-Za-z0-9_].*/, "", job) }
        /const KIND: &.static str = "/ { split($0, part, "\""); split(FILENAME, path, "/"); print part[2], path[2], job }
    ' {} + | sort
}

# kinds_of CRATE: the kinds that its binary runs, one a line.
kinds_of() {
    local kind crate job
    while read -r kind crate job; do
        [[ $crate != "$1" ]] || ! is_registered "$crate" "$job" || printf '%s\n' "$kind"
    done < <(declared_jobs)
}

# is_registered CRATE TYPE: by `worker::main` or by `register`.
is_registered() { grep -q -E "\<(main|register)::<([a-z0-9_]+::)*$2\>" "crates/$1/src/main.rs"; }

# crate_of KIND: the crate whose binary runs it. If none does, says why instead, and fails.
crate_of() {
    local kind crate job known=
    while read -r kind crate job; do
        known+=${known:+, }$kind
        [[ $kind == "$1" ]] || continue
        if is_registered "$crate" "$job"; then
            printf '%s' "$crate"
            return
        fi
        printf 'KINDS names %s, a job of %s that its binary does not run: register %s in crates/%s/src/main.rs' "$1" "$crate" "$job" "$crate"
        return 1
    done < <(declared_jobs)
    printf 'KINDS names %s, and no worker crate has such a job; there are %s' "$1" "${known:-none}"
    return 1
}
