#!/usr/bin/env bash
# Runs fuzz targets on seeds from the fixtures: scripts/fuzz.sh TARGET|all SECONDS
set -euo pipefail
cd "$(dirname "$0")/../tests/fuzz"

target=${1:?"usage: scripts/fuzz.sh TARGET|all SECONDS"}
seconds=${2:-60}
cargo fuzz --version >/dev/null 2>&1 || {
  printf 'fuzz: error: cargo-fuzz is not installed\nfuzz: hint: cargo install cargo-fuzz\n' >&2
  exit 2
}

seeds() { # seeds TARGET
  local fixtures=../../fixtures/images
  case $1 in
  decode_jpeg | turn_jpeg) ls "$fixtures"/*.jpg ;;
  decode_heif) ls "$fixtures"/*.heic "$fixtures"/*.heics ;;
  decode_tiff) ls "$fixtures"/*.tif ;;
  pdf_facts) ls ../../fixtures/pdf/*.pdf ;;
  exif) ls "$fixtures"/*exif* "$fixtures"/*.tif ;;
  *) ls "$fixtures"/*."${1#decode_}" ;;
  esac
}

run() {
  mkdir -p "corpus/$1"
  # Small seeds only: large ones teach the fuzzer nothing and slow it down.
  seeds "$1" | while read -r seed; do
    [ "$(stat -c %s "$seed")" -gt 65536 ] || cp "$seed" "corpus/$1/"
  done
  cargo +nightly fuzz run -s "${SANITIZER:-address}" "$1" -- -max_total_time="$seconds" \
    -rss_limit_mb=4096 -timeout=20 -print_final_stats=1
}

if [ "$target" = all ]; then
  for name in $(cargo +nightly fuzz list); do
    run "$name"
  done
else
  run "$target"
fi
