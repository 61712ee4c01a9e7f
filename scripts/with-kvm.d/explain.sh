# Tells people what with-kvm found, what it chose, and how to get KVM without emulation. Sourced by with-kvm.
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are shared between the files

# Print the processor's virtualization flag: vmx, svm or none.
processor_flag() {
    local flags
    flags=$(sed -n '/^flags/{p;q}' /proc/cpuinfo)
    case " $flags " in
        *" vmx "*) echo vmx ;;
        *" svm "*) echo svm ;;
        *) echo none ;;
    esac
}

in_container() {
    [[ -e /.dockerenv || -e /run/.containerenv ]] || grep -qaE 'docker|lxc|podman|kubepods' /proc/1/cgroup 2>/dev/null
}

in_wsl() {
    grep -qi microsoft /proc/sys/kernel/osrelease
}

advise_permission() {
    cat <<END
/dev/kvm exists, but $(id -un) may not use it. Join the group that may, then log in again:
    sudo usermod -aG $(stat -c %G /dev/kvm) $(id -un)
END
}

advise_modules() {
    local module=kvm_intel
    [[ $(processor_flag) != svm ]] || module=kvm_amd
    if in_container; then
        cat <<END
This is a container without the device. Start it with the device of its host:
    docker run --device /dev/kvm ...        (podman and compose know the same option)
END
        return
    fi
    cat <<END
The processor can virtualize ($(processor_flag)), but KVM is not loaded:
    sudo modprobe $module
If that is refused, dmesg says why; often virtualization is switched off in the firmware (BIOS) set-up.
END
}

advise_nesting() {
    cat <<'END'
This is a virtual machine whose processor shows no virtualization. Ask its host for nested virtualization:
    KVM         load kvm_amd or kvm_intel with nested=1 and give this machine the host's processor (-cpu host)
    Hyper-V     Set-VMProcessor -VMName NAME -ExposeVirtualizationExtensions $true
    VMware      "Virtualize Intel VT-x/EPT or AMD-V/RVI";   VirtualBox: "Enable Nested VT-x/AMD-V"
    a cloud     choose a machine type with nested virtualization, or a bare-metal one
END
}

advise_wsl() {
    cat <<'END'
This is WSL2. On Windows 11, put these lines into %UserProfile%\.wslconfig and run `wsl --shutdown`:
    [wsl2]
    nestedVirtualization=true
END
}

advise() {
    if [[ -e /dev/kvm ]] && [[ ! -r /dev/kvm || ! -w /dev/kvm ]]; then
        advise_permission
    elif [[ -e /dev/kvm ]]; then
        cat <<'END'
This KVM opens but does not run guests properly; nothing inside this machine can change that. (Some clouds offer such
a KVM: it emulates a guest's ring 0 without hardware help.) Use a machine with hardware or nested virtualization.
END
    elif in_wsl; then
        advise_wsl
    elif [[ $(processor_flag) != none ]]; then
        advise_modules
    elif grep -qw hypervisor /proc/cpuinfo; then
        advise_nesting
    else
        echo "The processor shows no virtualization: switch it on (VT-x, AMD-V or SVM) in the firmware (BIOS) set-up."
    fi
}

explain_fallback() {
    local qemu
    qemu=$(qemu-system-x86_64 --version 2>/dev/null | sed -n 1p) || qemu="not installed; ./scripts/setup installs it"
    echo "emulator:   $qemu"
    if choose_kernel; then
        echo "kernel:     $kernel_file"
    else
        echo "kernel:     none yet; ./scripts/setup or scripts/with-kvm --prepare fetches one"
    fi
    echo "memory:     $(machine_memory)"
}

explain() {
    if [[ -n ${TERRARIUM_INSIDE:-} ]]; then
        echo "chosen:     nothing to do: this already runs inside with-kvm (${TERRARIUM_KVM:-native} KVM)"
        return
    fi
    find_tools
    local chosen="the emulated machine"
    if native_works; then
        chosen="native KVM"
        [[ -z ${TERRARIUM_FORCE_FALLBACK:-} ]] || chosen="the emulated machine, because TERRARIUM_FORCE_FALLBACK is set"
    fi
    echo "processor:  $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | uniq), virtualization: $(processor_flag)"
    echo "found:      $native_reason"
    echo "chosen:     $chosen"
    if [[ $chosen != "native KVM" ]]; then
        explain_fallback
    fi
    if ! native_works; then
        printf '\nTo get KVM without emulation:\n'
        advise
    fi
}
