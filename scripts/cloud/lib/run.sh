# Commands go through one of two doors, so that DRY_RUN can be trusted: `ask` and `look` for what only reads, `change` for the rest.
# shellcheck shell=bash

# What people read. Answers are captured, so it has a way of its own.
exec 3>&1

# The exit code of a failure that has been told already.
TOLD=70

is_dry() { [[ ${DRY_RUN:-} == 1 ]]; }
say() { printf '%s\n' "$*" >&3; }
title() { printf '\n== %s\n' "$*" >&3; }

# One line: what failed, and what to run next. The second argument replaces the usual advice.
fail() {
    printf '%s: %s. Next: %s\n' "$RECIPE" "$1" "${2:-mend that and run \`${NEXT:-just $RECIPE}\`, which goes on where this ended}" >&2
    exit "$TOLD"
}

trap 'finish $?' EXIT
finish() {
    rm -f ${FORGET:+"$FORGET"}
    (($1 == 0 || $1 == TOLD)) || printf '%s: ended with code %s. Next: run `%s`, which goes on where this ended\n' "$RECIPE" "$1" "${NEXT:-just $RECIPE}" >&2
}

# A command as it can be pasted into a shell.
quoted() {
    local word out=
    for word in "$@"; do
        if [[ $word =~ ^[A-Za-z0-9_./:@%+=,-]+$ ]]; then
            out+=" $word"
        elif [[ $word =~ ^(--[a-z-]+=)(.*)$ ]]; then
            out+=" ${BASH_REMATCH[1]}'${BASH_REMATCH[2]//\'/\'\\\'\'}'"
        else
            out+=" '${word//\'/\'\\\'\'}'"
        fi
    done
    printf '%s' "${out:1}"
}

# fail_command HOW COMMAND...: the words before the first option say enough of it.
fail_command() {
    local how=$1 word gist=
    for word in "${@:2}"; do
        [[ $word != -* ]] || break
        gist+=" $word"
    done
    fail "\`${gist:1}\` failed $how"
}

# Changes something: shown, then run. Secrets are never among the arguments, but come by standard input.
change() {
    announce "$@" || return 0
    "$@" >&3 || fail_command "with code $?" "$@"
}

# Shows a change, and says whether it shall be made. A dry run shows each only once, since the second time it would be found done.
announce() {
    local line
    line="+ $(quoted "$@")"
    if is_dry; then
        grep -q --line-regexp --fixed-strings -e "$line" "$SHOWN" && return 1
        printf '%s\n' "$line" >>"$SHOWN"
    fi
    say "$line"
    ! is_dry
}
if is_dry && [[ -z ${SHOWN:-} ]]; then
    SHOWN=$(mktemp)
    export SHOWN
    FORGET=$SHOWN
fi

# Reads something, and prints the answer. A dry run has nobody to ask and answers with the placeholder:
# empty, as a project in which there is nothing yet.
ask() {
    local placeholder=$1
    shift
    if is_dry; then
        say "? $(quoted "$@")"
        printf '%s' "$placeholder"
    else
        answer "$@"
    fi
}

# What Google says of a service that was switched on a moment ago, for some minutes.
TOO_EARLY='SERVICE_DISABLED|has not been used in project .* before or it is disabled'

# The answer to a question. Every recipe asks a service before it changes anything there, so that only questions have to be patient.
answer() {
    local attempt code errors output
    errors=$(mktemp)
    for attempt in {1..20}; do
        code=0
        output=$("$@" 2>"$errors") || code=$?
        if ((code == 0 || attempt == 20)) || ! grep --quiet --extended-regexp "$TOO_EARLY" "$errors"; then break; fi
        say "  the service is not on everywhere yet ($attempt of 20); again in 15 s"
        sleep 15
    done
    cat "$errors" >&2
    rm -f "$errors"
    ((code == 0)) || fail_command "with code $code" "$@"
    printf '%s' "$output"
}

# Reads, too, but it is people who get the answer.
look() {
    say "? $(quoted "$@")"
    is_dry || "$@" >&3 || fail_command "with code $?" "$@"
}

# Whether the lines of $1 include $2.
has_line() { [[ $'\n'"$1"$'\n' == *$'\n'"$2"$'\n'* ]]; }

# Repeats a change that may come too early: Google tells its other services of a new account or pool within a minute or two.
change_patiently() {
    local attempt
    announce "$@" || return 0
    for attempt in 1 2 3 4 5 6 7 8; do
        "$@" >&3 && return
        ((attempt == 8)) || { say "  not yet ($attempt of 8); again in 15 s" && sleep 15; }
    done
    fail_command "eight times in two minutes" "$@"
}

# wait_until MINUTES LOOK: calls LOOK every 15 s until it succeeds, and shows what it prints whenever that changes.
# LOOK runs as a condition, where bash does not stop at errors: it must end by itself with $TOLD if it cannot look.
wait_until() {
    local rounds=$(($1 * 4)) round seen code last=
    for ((round = 0; round < rounds; round++)); do
        code=0
        seen=$("$2") || code=$?
        is_dry && return
        [[ $seen == "$last" ]] || say "  after $((round / 4)) min: $seen"
        last=$seen
        ((code != 0)) || return 0
        ((code != TOLD)) || exit "$TOLD"
        sleep 15
    done
    return 1
}

# Asks for a word before something that cannot be undone; it may come through a pipe, too.
confirm() {
    local word=$1 answer
    say "$2"
    is_dry && return
    printf 'Type %s to go on: ' "$word" >&3
    read -r answer || answer=
    [[ $answer == "$word" ]] || fail "you did not type $word, so nothing was deleted" "run \`just $RECIPE\` again if you meant to"
}
