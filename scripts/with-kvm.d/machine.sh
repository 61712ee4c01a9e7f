# Prepares and starts the emulated machine. Sourced by with-kvm.
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are shared between the files

# Print the contents of a file, decompressed as its magic number says.
decompress() {
    case $(od -An -v -N 6 -t x1 "$1" | tr -d ' ') in
        fd377a585a00) xz -dc --single-stream "$1" ;;
        28b52ffd*) zstd -dcq "$1" ;;
        1f8b*) gzip -dc "$1" ;;
        04224d18* | 02214c18*) lz4 -dc "$1" ;;
        *) cat "$1" ;;
    esac
}

# Copy a module and everything that it needs to directory $2, and note the order of loading there.
add_module() {
    local file dependency name=${1//-/_}
    [[ ! -e $2/$name.ko ]] && file=$(module_file "$1") || return 0 # there already, or built in
    decompress "$file" >"$2/$name.ko"
    for dependency in $(tr '\0' '\n' <"$2/$name.ko" | sed -n 's/^depends=//p' | tr ',' ' '); do
        add_module "$dependency" "$2"
    done
    echo "$name.ko" >>"$2/order"
}

# Make the initramfs $1 of our init and the modules.
build_initramfs() {
    local tree=$work/tree module
    mkdir -p "$tree/modules"
    touch "$tree/modules/order"
    cp "$tools/init" "$tree/init"
    for module in "${needed_modules[@]}"; do
        add_module "$module" "$tree/modules"
    done
    (cd "$tree" && find . | cpio -o -H newc -R 0:0 --quiet) >"$1"
}

# Unpack the ELF that a bzImage carries to $2: decompressing it here, once, saves three seconds of every emulated boot.
# (Linux boot protocol, "setup_sects", "payload_offset", "payload_length".) If that fails, the bzImage itself serves.
unpack_kernel() {
    local start length
    start=$((($(number_at "$1" 497 1) + 1) * 512 + $(number_at "$1" 584 4)))
    length=$(number_at "$1" 588 4)
    dd if="$1" of="$work/packed" iflag=skip_bytes,count_bytes skip="$start" count="$length" bs=64K status=none
    decompress "$work/packed" >"$2" 2>/dev/null || true # bytes may follow the stream: the magic number decides
    [[ $(od -An -v -N 4 -t x1 "$2" | tr -d ' ') == 7f454c46 ]] || cp "$1" "$2"
}

# Build what $machine holds, for the chosen kernel.
build_machine() {
    local new=$work/new
    [[ ! -d $machine ]] || return 0 # somebody else was faster
    need cpio
    mkdir "$new"
    build_initramfs "$new/initramfs"
    unpack_kernel "$kernel_file" "$new/kernel"
    publish "$machine"
}

obtain_kernel() {
    choose_kernel || fetch_kernel # the first, in case that another with-kvm just fetched it
}

# Set $machine to the directory with the kernel and the initramfs to boot, preparing them if need be.
find_machine() {
    need qemu-system-x86_64
    choose_kernel || locked obtain_kernel
    choose_kernel || die "$exit_failed" "$kernel_problem"
    [[ -d $machine ]] || locked build_machine
}

# Do now what the first run would do, unless this machine does not need it.
machine_prepare() {
    find_tools
    if [[ -z ${TERRARIUM_FORCE_FALLBACK:-} ]] && native_works; then
        echo "with-kvm: this machine's own KVM works"
    else
        find_machine
        echo "with-kvm: the emulated machine is ready (kernel $kernel_file)"
    fi
}

# Print the machine's memory in MiB: half of what is free here, within bounds that suit guests of the labs.
machine_memory() {
    local free size=${TERRARIUM_KVM_MEMORY:-}
    if [[ -n $size ]]; then
        [[ $size =~ ^[0-9]+[MG]$ ]] || die "$exit_failed" "TERRARIUM_KVM_MEMORY=$size: give a size such as 2048M or 3G"
        echo "$size"
        return
    fi
    free=$(($(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo) / 2048))
    echo "$((free < 1024 ? 1024 : free > 3072 ? 3072 : free))M"
}

# Print the arguments of QEMU for its ports, one a line. protocol.h has their order and the descriptors.
port_arguments() {
    local port fd=10
    for port in control stdin stdout stderr terminal; do
        printf '%s\n' -chardev "socket,id=$port,fd=$fd" -device "virtserialport,chardev=$port,name=$port"
        fd=$((fd + 1))
    done
}

# Boot the machine and run the command in it; relay.c does the rest. It has one CPU: with two, QEMU's emulation spends half of its
# time on what they have to tell each other.
machine_run() {
    local memory security=none qemu_ports
    find_machine
    memory=$(machine_memory) || exit
    [[ $EUID -ne 0 ]] || security=passthrough
    mapfile -t qemu_ports < <(port_arguments)
    find "$cache" -maxdepth 1 -name 'console-*.log' -mtime +0 -delete # of failures that nobody looks at any more
    if [[ -z ${TERRARIUM_QUIET:-} ]]; then
        echo "with-kvm: no native KVM (${native_reason:-the fallback is forced}): using an emulated machine;" \
            "scripts/with-kvm --explain tells more" >&2
    fi
    export TERRARIUM_INSIDE=1 TERRARIUM_KVM=emulated TIMEOUT_SCALE=${TIMEOUT_SCALE:-10}
    export XDG_RUNTIME_DIR=/run/user/$EUID TERRARIUM_RUN=/run/user/$EUID
    exec "$tools/relay" "$cache/console-$$.log" \
        qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
        -machine pc -accel tcg,thread=multi -cpu max,xsave=off -smp 1 -m "$memory" \
        -kernel "$machine/kernel" -initrd "$machine/initramfs" \
        -append "console=ttyS0 quiet panic=-1 mitigations=off nowatchdog random.trust_cpu=on tsc=reliable no_timer_check" \
        -chardev stdio,id=console,signal=off -serial chardev:console \
        -fsdev "local,id=host,path=/,security_model=$security,multidevs=remap" \
        -device virtio-9p-pci,fsdev=host,mount_tag=host \
        -device virtio-serial-pci "${qemu_ports[@]}" \
        -- "$@"
}
