#!/usr/bin/env bash
# Installs what the build needs and the machine lacks. Quick when nothing is missing.
#   scripts/setup.sh          what `make test` and `make demo` need
#   scripts/setup.sh bench    also the peers that `make bench` compares with
#   scripts/setup.sh accuracy also the estimators that `make accuracy` compares with
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }

fail() {
  printf 'setup: error: %s\nsetup: hint: %s\n' "$1" "$2" >&2
  exit 2
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    fail "neither root nor sudo, so nothing can be installed" "run as root: $*"
  fi
}

# Each check names the Debian packages that make it pass.
missing=()
need() { # need PACKAGES CHECK...
  local packages=$1
  shift
  if ! "$@" >/dev/null 2>&1; then
    # shellcheck disable=SC2206
    missing+=($packages)
  fi
}

# The library and the headers that come with it: the runtime package alone has no headers.
have_libclang() {
  [ -n "${LIBCLANG_PATH:-}" ] && return 0
  any /usr/lib/llvm-*/lib/libclang.so* /usr/lib/llvm-*/lib/libclang-[0-9]*.so* \
    /usr/lib64/libclang.so* /usr/local/lib/libclang.so* &&
    any /usr/lib/llvm-*/lib/clang/*/include/stddef.h /usr/lib*/clang/*/include/stddef.h \
      /usr/local/lib/clang/*/include/stddef.h
}

any() {
  local path
  for path in "$@"; do
    [ -e "$path" ] && return 0
  done
  return 1
}

look() {
  missing=()
  need "gcc libc6-dev" command -v cc
  need pkg-config command -v pkg-config
  need "libavcodec-dev libavformat-dev libavutil-dev libswresample-dev libswscale-dev" \
    pkg-config --exists libavcodec libavformat libavutil libswresample libswscale
  need libclang-dev have_libclang
  # libjpeg-turbo is built from source, with its vector code.
  need cmake command -v cmake
  need nasm command -v nasm
  # PDFium's library comes from a Python package; poppler is what its pages are compared with.
  have_pdfium || need "python3 python3-venv" python3 -c 'import ensurepip'
  need poppler-utils command -v pdftoppm
  # A browser that looks at the page of `report`.
  need chromium command -v chromium
  if [ "$purpose" = bench ]; then
    need libimage-exiftool-perl command -v exiftool
    need ffmpeg command -v ffmpeg
    need mupdf-tools command -v mutool
    need "python3 python3-venv" command -v python3
    if ! command -v npm >/dev/null 2>&1 && debian_has_node; then missing+=(nodejs npm); fi
  fi
}

# What sharp asks for; Debian has it from version 13 on.
debian_has_node() {
  apt-cache policy nodejs 2>/dev/null |
    grep -Eq 'Candidate: (20\.(9|[1-9][0-9])|2[1-9]|[3-9][0-9])([.~+-]|$)'
}

have_node() {
  command -v npm >/dev/null 2>&1 && node -e 'const [major, minor] = process.versions.node.split(".");
    process.exit(major > 20 || (major == 20 && minor >= 9) ? 0 : 1)' 2>/dev/null
}

# PDFium's library, where the program and the tests look for it.
pdfium=${CARGO_TARGET_DIR:-target}/pdfium/libpdfium.so
pdfium_sum=c76dc0f7839644bfa7c3e3107a6068df714e339c861bb7d4519907b821d427f9

have_pdfium() {
  [ "$(uname -sm)" != "Linux x86_64" ] || echo "$pdfium_sum  $pdfium" | sha256sum --check --status 2>/dev/null
}

get_pdfium() {
  have_pdfium && return 0
  say "installing PDFium into ${pdfium%/*}"
  local folder
  folder=$(mktemp -d)
  peers_environment
  target/peers/bin/pip download -q --disable-pip-version-check --no-deps --only-binary :all: \
    -d "$folder" pypdfium2==5.15.2 ||
    fail "PDFium could not be fetched" "by hand: pip download pypdfium2==5.15.2, and libpdfium.so from it to $pdfium"
  mkdir -p "${pdfium%/*}"
  target/peers/bin/python -c 'import sys, zipfile
wheel, target = sys.argv[1:]
with open(target, "wb") as file: file.write(zipfile.ZipFile(wheel).read("pypdfium2_raw/libpdfium.so"))
' "$folder"/*.whl "$pdfium.partial"
  mv "$pdfium.partial" "$pdfium"
  rm -rf "$folder"
  have_pdfium || fail "$pdfium is not the library that was expected" "delete it and try again"
}

peers_environment() {
  [ -x target/peers/bin/pip ] || python3 -m venv target/peers ||
    fail "no virtual environment for Python packages" "by hand: apt-get install python3-venv"
}

# The versions that the benchmarks' printed figures were measured with.
python_peers() {
  local packages=(pillow==13.0.0 numpy 'pyvips[binary]==3.2.0' opencv-python-headless==5.0.0.93
    pypdfium2==5.15.2 pypdf==7.1.0 reportlab==5.1.0 av==18.1.0 decord==0.6.0 google-genai==3.4.0)
  target/peers/bin/python -c 'from importlib.util import find_spec as found
names = ("PIL", "numpy", "pyvips", "cv2", "pypdfium2", "pypdf", "reportlab", "av", "decord", "google",
         "google.genai")
raise SystemExit(not all(map(found, names)))' && return 0
  say "installing ${packages[*]} into target/peers"
  target/peers/bin/pip install -q --disable-pip-version-check "${packages[@]}" ||
    fail "the Python peers could not be installed" "by hand: pip install ${packages[*]}"
}

# One peer of many: the benchmarks run without it and say so.
node_peers() {
  local folder=target/peers/node
  [ -d $folder/node_modules/sharp ] && return 0
  have_node || { say "sharp is left out: it needs Node.js 20.9 or newer, and npm"; return 0; }
  say "installing sharp into $folder"
  mkdir -p $folder
  npm install --silent --no-audit --no-fund --prefix $folder sharp@0.35.5 >/dev/null ||
    say "sharp is left out: npm could not install it"
}

# An estimator: the tables leave it out and say so where it is missing.
litellm_peer() {
  target/peers/bin/python -c 'import importlib.util as u; raise SystemExit(not u.find_spec("litellm"))' && return 0
  say "installing litellm into target/peers"
  target/peers/bin/pip install -q --disable-pip-version-check litellm==1.106.2 ||
    say "litellm is left out: pip could not install it"
}

# A crate with hundreds of dependencies, in a project of its own.
crate_peer() {
  local source=benches/peers/llm-multimodal folder=target/peers/llm-multimodal
  local made=target/peers/bin/llm-multimodal-peer
  [ -x $made ] && [ ! $source/main.rs -nt $made ] && [ ! $source/Cargo.toml -nt $made ] && return 0
  say "building llm-multimodal into $folder, which takes minutes"
  if CARGO_TARGET_DIR=$folder cargo build -q --release --manifest-path $source/Cargo.toml; then
    cp $folder/release/llm-multimodal-peer $made
  else
    say "llm-multimodal is left out: it could not be built"
  fi
}

purpose=${1:-}
command -v cargo >/dev/null 2>&1 ||
  fail "cargo is not installed" "install Rust 1.92 or newer with rustup"
look

if [ "${#missing[@]}" -gt 0 ]; then
  command -v apt-get >/dev/null 2>&1 || fail "missing: ${missing[*]} (Debian names), and there is no apt-get" \
    "install them by hand: FFmpeg 5.1 or newer with headers, libclang, pkg-config, cmake, nasm, a C compiler"
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update -qq || say "the package list could not be refreshed; trying with the old one"
  for package in "${missing[@]}"; do
    as_root apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
      fail "the Debian package $package could not be installed" "by hand: apt-get install $package"
  done
  look
  [ "${#missing[@]}" -eq 0 ] ||
    fail "installed, but not found afterwards: ${missing[*]}" "look at what apt-get says about them"
fi

get_pdfium
if [ "$purpose" = bench ]; then
  peers_environment
  python_peers
  node_peers
  crate_peer
fi
if [ "$purpose" = accuracy ]; then
  peers_environment
  litellm_peer
  crate_peer
fi
say "everything is here"
