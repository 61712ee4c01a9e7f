# Decides whether this machine's own KVM can be used. Sourced by with-kvm.
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are shared between the files

native_reason= # what was found, for people

# Print a name for this machine as far as KVM goes: the answer is remembered only for as long as it is the same.
machine_key() {
    {
        uname -r
        grep -m1 '^model name' /proc/cpuinfo
        cat /proc/sys/kernel/random/boot_id
        stat -c '%t:%T %i %a %u:%g' /dev/kvm
        id
    } 2>/dev/null | cksum | tr -d ' '
}

# Ask the probe. Its line and its verdict go to the file $1, which appears whole or not at all.
ask_probe() {
    local verdict=no reason
    if reason=$("$tools/probe"); then
        verdict=yes
    fi
    printf '%s\n%s\n' "$verdict" "${reason:-the probe ended without a result}" >"$1.$$"
    mv "$1.$$" "$1"
}

# Succeeds if guests run natively; sets $native_reason either way. Needs $tools.
native_works() {
    local answer verdict
    if [[ ! -e /dev/kvm ]]; then
        native_reason="there is no /dev/kvm"
        return 1
    fi
    if [[ ! -r /dev/kvm || ! -w /dev/kvm ]]; then
        native_reason="$(id -un) may not open /dev/kvm"
        return 1
    fi
    answer=$cache/native-$(machine_key)-${tools##*-}
    [[ -f $answer ]] || ask_probe "$answer"
    { read -r verdict && read -r native_reason; } <"$answer"
    [[ $verdict == yes ]]
}
