# The small C programs of with-kvm: built on first use, and again when a source changes. Sourced by with-kvm.
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are shared between the files

c_flags=(-D_GNU_SOURCE -std=gnu11 -O2 -Wall -Wextra)

# Print a name for the present contents of all sources.
sources_key() {
    cat "$root/scripts/with-kvm" "$parts"/* | cksum | tr -d ' '
}

# Fail with the way out if a program is missing: need PROGRAM
need() {
    command -v "$1" >/dev/null || die "$exit_failed" "$1 is not installed; ./scripts/setup installs what is missing"
}

# Leave after a step of the preparation failed, which has said why.
abandon() {
    rm -rf "$work"
    die "$exit_failed" "could not prepare $cache"
}

# Run a function while no other with-kvm prepares anything in the cache; if it fails, all ends here.
# It may leave what it likes in $work. Not to be called where bash ignores errors (after if, before ||).
locked() {
    exec {lock}>"$cache/lock"
    flock "$lock"
    work=$(mktemp -d "$cache/work.XXXXXX")
    trap abandon EXIT
    "$@"
    trap - EXIT
    rm -rf "$work"
    exec {lock}>&-
}

# Give what was made in $work/new its place in the cache: complete, or not at all.
publish() {
    chmod 755 "$work/new"
    mv -T "$work/new" "$1"
}

# Link statically: the program runs before any library is there. After musl's own headers, those of Linux: <linux/kvm.h>.
compile_static() {
    if command -v musl-gcc >/dev/null; then
        musl-gcc -static "${c_flags[@]}" -idirafter /usr/include -idirafter "/usr/include/$(gcc -print-multiarch)" "$@"
    else
        gcc -static "${c_flags[@]}" "$@"
    fi
}

# Build all programs in a new directory, which appears under its name only when it is complete.
build_tools() {
    local new=$work/new
    [[ ! -d $tools ]] || return 0 # somebody else was faster
    need gcc
    mkdir "$new"
    gcc "${c_flags[@]}" -o "$new/probe" "$parts/probe.c"
    gcc "${c_flags[@]}" -o "$new/relay" "$parts"/{relay,machine,request,terminal,pump,protocol}.c
    compile_static -o "$new/init" "$parts"/{init,agent,child,pump,protocol}.c
    publish "$tools"
    # What earlier versions left behind; a day is longer than any run that may still use it.
    find "$cache" -maxdepth 1 -name '*-*' -mtime +0 -exec rm -rf {} +
}

# Set $tools to the directory with probe, relay and init.
find_tools() {
    tools=$cache/tools-$(sources_key)
    if ! mkdir -p "$cache" 2>/dev/null || [[ ! -w $cache ]]; then
        die "$exit_failed" "$cache cannot be written; if it belongs to another user, remove it"
    fi
    [[ -d $tools ]] || locked build_tools
}
