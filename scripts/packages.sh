# Finds which Debian packages are missing and installs them. Sourced by `run` and `test`, which set $root
# and $me, the name that sentences begin with. Packages are looked for by what they bring, so that any system
# will do that has it, however it got there.
#
# shellcheck shell=sh disable=SC2154,SC2034

# To build the library and the command.
packages_to_build='gcc libc6-dev cmake ninja-build pkg-config libcairo2-dev libjansson-dev libxxhash-dev zlib1g-dev libcsv-dev fonts-dejavu-core'

say() {
    printf '%s: %s\n' "$me" "$*" >&2
}

has_package() {
    case $1 in
    libc6-dev) test -e /usr/include/stdio.h ;;
    libc6-dev-arm64-cross) test -e /usr/aarch64-linux-gnu/include/stdio.h ;;
    cmake) has_cmake ;;
    ninja-build) command -v ninja ;;
    libcairo2-dev) pkg-config --exists cairo ;;
    libjansson-dev) pkg-config --exists jansson ;;
    libxxhash-dev) test -e /usr/include/xxhash.h || pkg-config --exists libxxhash ;;
    libcsv-dev) test -e /usr/include/csv.h ;;
    zlib1g-dev) test -e /usr/include/zlib.h || pkg-config --exists zlib ;;
    dataset-fashion-mnist) test -e /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz ;;
    fortunes) test -e /usr/share/games/fortunes/work ;;
    python3-venv) python3 -c 'import ensurepip' ;;
    python3-dev) python3 -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' ;;
    libarmadillo-dev) test -e /usr/include/armadillo ;;
    libcmocka-dev) pkg-config --exists cmocka ;;
    fonts-dejavu-core) test -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf || fc-list | grep DejaVuSans.ttf ;;
    gcc-aarch64-linux-gnu) command -v aarch64-linux-gnu-gcc ;;
    qemu-user) command -v qemu-aarch64 ;;
    locales) test -e /usr/share/i18n/locales/de_DE ;;
    libclang-rt-14-dev) ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a ;;
    libomp-dev) ls /usr/lib/llvm-*/lib/libomp.so || ls /usr/lib*/libomp.so ;;
    *) command -v "$1" ;;
    esac >/dev/null 2>&1
}

# 3.25 is the oldest whose presets and options the build uses.
has_cmake() {
    cmake_version=$(cmake --version 2>/dev/null | sed -n '1s/[^0-9]*//p')
    case $cmake_version in
    '') return 1 ;;
    3.?.* | 3.1?.* | 3.2[0-4].* | [0-2].*) return 1 ;;
    esac
}

missing_packages() {
    for package in "$@"; do
        has_package "$package" || printf '%s ' "$package"
    done
}

# install_packages PACKAGE…: installs those that are missing, or says why not and exits with status 1.
install_packages() {
    missing=$(missing_packages "$@")
    missing=${missing% }
    [ -n "$missing" ] || return 0

    if ! command -v apt-get >/dev/null; then
        say "missing: $missing (Debian's package names); this system has no apt-get, so install what provides them and try again"
        exit 1
    fi
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        as_root=sudo
        if ! command -v sudo >/dev/null; then
            say "missing: $missing; only root can install them, and there is no sudo; as root: apt-get install $missing"
            exit 1
        fi
    fi

    say "installing $missing${as_root:+ with sudo}"
    packages_log=$root/build/packages.log
    mkdir -p "$root/build"
    # Lists that cannot be fetched are no reason to stop: an older list may do. The split is meant.
    # shellcheck disable=SC2086
    {
        $as_root apt-get update || true
        $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 $missing
    } </dev/null >"$packages_log" 2>&1 || {
        reason=$(grep '^E: ' "$packages_log" | tail -n 1)
        say "could not install $missing: ${reason:-$(tail -n 1 "$packages_log")} (the whole log: $packages_log)"
        exit 1
    }

    missing=$(missing_packages "$@")
    [ -z "$missing" ] || {
        say "still missing after installing: ${missing% } (cmake must be 3.25 or newer; the log: $packages_log)"
        exit 1
    }
}
