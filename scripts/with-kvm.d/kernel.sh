# Finds, or fetches and unpacks, the kernel of the emulated machine. Nothing is installed. Sourced by with-kvm.
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are shared between the files

# What must be there, as a module or built in. Modules that these depend on come along by themselves.
needed_modules=(virtio_pci virtio_console 9pnet_virtio 9p kvm-amd)

kernel_file=    # the chosen kernel
machine=        # the directory where its machine is, or will be
kernel_modules= # the directory of its modules, if the machine has yet to be built
kernel_problem= # why the last candidate was not chosen

# Print the little-endian number of $3 bytes at offset $2 of file $1.
number_at() {
    od -An -v -j "$2" -N "$3" -t "u$3" "$1" | tr -d ' '
}

# Print the version that is written in a bzImage (Linux boot protocol, "kernel_version").
kernel_version() {
    local magic
    magic=$(dd if="$1" bs=1 skip=514 count=4 2>/dev/null | tr -d '\0')
    [[ $magic == HdrS ]] || return 1
    dd if="$1" bs=1 skip=$(($(number_at "$1" 526 2) + 512)) count=128 2>/dev/null | tr '\0' ' ' | cut -d' ' -f1
}

# Print the file of a module, whose name may be spelt with - or _ (or both). Fails if there is none.
module_file() {
    local found
    found=$(find "$kernel_modules/kernel" -name "${1//[-_]/[-_]}.ko*" -print -quit)
    [[ -n $found ]] && printf '%s\n' "$found"
}

is_built_in() {
    grep -q "/${1//[-_]/[-_]}\.ko$" "$kernel_modules/modules.builtin" 2>/dev/null
}

# Succeeds if a machine can be built with kernel $1; sets $kernel_modules, or $kernel_problem.
try_kernel() {
    local version directory module
    kernel_modules=
    kernel_problem="$1 cannot be read"
    [[ -f $1 && -r $1 ]] || return 1
    kernel_problem="$1 is not a Linux kernel image (bzImage)"
    version=$(kernel_version "$1") || return 1
    for directory in "$(dirname "$1")"/../{usr/,}lib/modules/"$version" {/usr,}/lib/modules/"$version"; do
        [[ ! -d $directory/kernel ]] || kernel_modules=$directory
    done
    kernel_problem="the modules of $1 ($version) are not in ../lib/modules/$version beside it nor in /lib/modules"
    [[ -n $kernel_modules ]] || return 1
    for module in "${needed_modules[@]}"; do
        kernel_problem="kernel $1 ($version) has no module $module"
        is_built_in "$module" || module_file "$module" >/dev/null || return 1
    done
}

# Print the directory of the machine with kernel $1: another name whenever the kernel or with-kvm changes.
machine_directory() {
    printf '%s/machine-%s\n' "$cache" \
        "$({ realpath "$1"; stat -c '%s %Y' "$1"; echo "${tools##*-}"; } | cksum | tr -d ' ')"
}

# Succeeds if kernel $1 can be used. A machine that was built with it before needs no check.
use_kernel() {
    kernel_problem="$1 does not exist"
    [[ -e $1 ]] || return 1
    kernel_file=$1
    machine=$(machine_directory "$1")
    [[ -d $machine ]] || try_kernel "$1"
}

# Choose a kernel: the one that was asked for, one fetched earlier, or the host's own. Sets $kernel_file and $machine.
# Fails if there is none.
choose_kernel() {
    local candidate
    if [[ -n ${TERRARIUM_KERNEL:-} ]]; then
        use_kernel "$TERRARIUM_KERNEL" || die "$exit_failed" "TERRARIUM_KERNEL: $kernel_problem"
        return
    fi
    for candidate in "$cache"/kernel/boot/vmlinuz* {/boot,/usr/lib/modules/*,/lib/modules/*}/vmlinuz*; do
        ! use_kernel "$candidate" || return 0
    done
    return 1
}

# Fetch the packages with the kernel and its modules into the present directory and unpack them, each by the
# means of its package manager. Debian calls its generic kernel linux-image-amd64, Ubuntu linux-image-generic.
fetch_with_apt() {
    local meta image version package packages=()
    for meta in linux-image-amd64 linux-image-generic; do
        image=$(apt-cache depends "$meta" 2>/dev/null | sed -n '/^ *Depends: linux-image-[0-9]/{s/.*: //p;q}')
        [[ -z $image ]] || break
    done
    [[ -n $image ]] || return 1
    version=${image#linux-image-}
    for package in "$image" "linux-modules-$version" "linux-modules-extra-$version"; do
        [[ -z $(apt-cache show "$package" 2>/dev/null) ]] || packages+=("$package")
    done
    echo "with-kvm: fetching ${packages[*]} (to be unpacked below build/, not installed)" >&2
    apt-get -q -o APT::Sandbox::User=root download "${packages[@]}" >&2 || return 1
    for package in *.deb; do
        dpkg-deb -x "$package" . || return 1
    done
}

fetch_with_dnf() {
    local package
    echo "with-kvm: fetching kernel-core and kernel-modules (to be unpacked below build/, not installed)" >&2
    dnf -q download kernel-core kernel-modules-core kernel-modules >&2 || return 1
    for package in *.rpm; do
        rpm2cpio "$package" | cpio -idm --quiet || return 1
    done
}

fetch_with_pacman() {
    local package
    echo "with-kvm: fetching linux (to be unpacked below build/, not installed)" >&2
    pacman -Sw --noconfirm --cachedir "$PWD" linux >&2 || return 1
    for package in linux-[0-9]*.pkg.tar.zst; do
        tar -xf "$package" || return 1
    done
}

# Keep only the kernel and its modules, as boot/vmlinuz-VERSION and lib/modules/VERSION.
tidy_kernel() {
    local image
    mkdir -p boot
    for image in {usr/,}lib/modules/*/vmlinuz; do
        [[ ! -f $image ]] || mv "$image" "boot/vmlinuz-$(basename "$(dirname "$image")")"
    done
    rm -rf ./*.deb ./*.rpm ./*.pkg.tar.zst* usr/share usr/lib/debug boot/System.map*
    compgen -G 'boot/vmlinuz-*' >/dev/null
}

fetch_with_any() {
    if command -v apt-get >/dev/null; then
        fetch_with_apt
    elif command -v dnf >/dev/null; then
        fetch_with_dnf
    elif command -v pacman >/dev/null; then
        fetch_with_pacman
    else
        return 1
    fi
}

# Fetch a kernel into the cache, where it appears only when it is complete.
fetch_kernel() {
    mkdir "$work/new"
    (cd "$work/new" && fetch_with_any && tidy_kernel) ||
        die "$exit_failed" "no kernel for the emulated machine: ./scripts/setup fetches one, or set TERRARIUM_KERNEL"
    rm -rf "$cache/kernel"
    publish "$cache/kernel"
}
