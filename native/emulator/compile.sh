# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # the variables are read by the scripts that source this
#
# How the emulator and the kernels are compiled for the CPU; for scripts whose working folder is the repository's root
# and which have set `out` to the folder of the objects.

cxx=${CXX:-g++}

# What this machine lacks for it, in one line; empty where nothing does.
emulator_needs() {
    [ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] || { echo 'it runs on Linux on x86-64 only, as JCuda does'; return; }
    command -v "$cxx" >/dev/null || echo "$cxx is not installed (apt install g++)"
}

flags=(-std=c++17 -O2 -g1 -fPIC -fvisibility=hidden -Wall -Wextra -Werror -DGRU4J_EMULATOR -Icuda -Inative/emulator)

# No multiply-add that the kernels do not ask for, as nvcc -fmad=false: then both give the same bits. With the
# instructions for it where the CPU has them, since the library function of the same result is ten times slower.
kernel_flags=(-x c++ -O2 -ffp-contract=off -fno-math-errno -Wno-unknown-pragmas)
if grep -qs '\bfma\b' /proc/cpuinfo && grep -qs '\bavx2\b' /proc/cpuinfo; then
    kernel_flags+=(-mavx2 -mfma)
fi

# What a sanitizer adds: to objects' names, to the emulator, to kernels, to what runs around them, to linking. Only kernels
# are instrumented; the emulator tells the sanitizer what it has to know.
prefix=
emulator_more=()
kernel_more=()
host_more=()
link_more=()

# use_sanitizer address|thread
use_sanitizer() {
    prefix=$1-
    local kinds=$1
    # What undefined behaviour g++ knows is looked for along with addresses.
    if [ "$1" = address ]; then
        emulator_more=(-DGRU4J_ASAN)
        kinds=address,undefined
    else
        emulator_more=(-DGRU4J_TSAN)
        host_more=(-DGRU4J_TSAN)
    fi
    kernel_more=(-O1 -g "-fsanitize=$kinds" -fno-sanitize-recover=all -Wno-maybe-uninitialized)
    link_more=("-fsanitize=$kinds")
}

# compile OBJECT SOURCE FLAG…: unless the object is of the same source, headers, compiler and flags. The headers are those
# that the last compilation has read: one that is new is named in a file that has changed.
compile() {
    local object=$out/$1 source=$2
    shift 2
    if [ -e "$object" ] && [ "$(cat "$object.state" 2>/dev/null)" = "$(state_of "$object" "$source" "$@")" ]; then return; fi
    rm -f "$object.state"
    "$cxx" "$@" -MMD -MF "$object.d" -c -o "$object" "$source"
    state_of "$object" "$source" "$@" >"$object.state"
}

# start OBJECT SOURCE FLAG…: compile, as one of as many at once as there are processors. finish waits for all of them.
compiling=()
start() {
    if [ ${#compiling[@]} -ge "$(nproc)" ]; then
        wait "${compiling[0]}"
        compiling=("${compiling[@]:1}")
    fi
    compile "$@" &
    compiling+=($!)
}

finish() {
    local process
    for process in ${compiling[@]+"${compiling[@]}"}; do wait "$process"; done
    compiling=()
}

# state_of OBJECT SOURCE FLAG…: a name for all that the object comes from. What it has read stands in OBJECT.d, as make
# would have it: "object: source header \".
state_of() {
    local object=$1
    shift
    # shellcheck disable=SC2046 # words
    { cat $(sed -e 's/^[^:]*://' -e 's/\\$//' "$object.d" 2>/dev/null) 2>/dev/null || echo 'something is gone'
        "$cxx" --version
        echo "$@"; } </dev/null | sha256sum
}

# compile_emulator: all of it; adds its objects to `objects`.
compile_emulator() {
    local source object
    for source in native/emulator/*.cpp; do
        object=$prefix$(basename "$source" .cpp).o
        start "$object" "$source" "${flags[@]}" ${emulator_more[@]+"${emulator_more[@]}"}
        objects+=("$out/$object")
    done
    # The hash of the sources, the same as in cuda/build, which cuModuleLoadData compares; in a file of its own, so
    # that a change of a kernel compiles only that.
    printf 'namespace gru4j::emulator {\nextern const char kKernelsHash[];\nconst char kKernelsHash[] = "%s";\n}\n' \
        "$(cat cuda/*.cu cuda/*.cuh cuda/*.h | sha256sum | cut -d ' ' -f 1)" >"$out/kernels_hash.cpp"
    start kernels_hash.o "$out/kernels_hash.cpp" "${flags[@]}"
    objects+=("$out/kernels_hash.o")
    finish
}

# compile_kernels SOURCE…: adds their objects to `objects`.
compile_kernels() {
    local source object
    for source; do
        object=$prefix$(basename "$source").o
        start "$object" "$source" "${flags[@]}" "${kernel_flags[@]}" ${kernel_more[@]+"${kernel_more[@]}"}
        objects+=("$out/$object")
    done
    finish
}

# compile_host SOURCE…: what runs around the kernels, not instrumented, with their floating-point flags; adds their
# objects to `objects`.
compile_host() {
    local source object
    for source; do
        object=$prefix$(basename "$source").o
        start "$object" "$source" "${flags[@]}" "${kernel_flags[@]}" ${host_more[@]+"${host_more[@]}"} -I"$(dirname "$source")"
        objects+=("$out/$object")
    done
    finish
}

# link PROGRAM
link() {
    "$cxx" ${link_more[@]+"${link_more[@]}"} -o "$out/$prefix$1" "${objects[@]}"
}
