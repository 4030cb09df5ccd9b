#!/usr/bin/env bash
# Builds the daemons and the fault driver and harms the ones with the other: `make faults` explains itself in
# docs/DEVELOPMENT.md. ROWS chooses rows, SEEDS says how many seeds of each, QUICK=1 tries only the fast ones in a small
# form; what is given as arguments goes to the driver. It makes a Postgres of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib/sweep.sh

# The selection of `make test`, so that neither builds again what the other has built.
mkdir -p crates/titan-api/dashboard/dist
cargo build --locked --workspace --features titan-api/dashboard

# One row turns a worker's clock; it says so when it cannot.
if [[ -z ${QUICK:-} ]] && ! compgen -G '/usr/lib*/*/faketime' >/dev/null && ((EUID == 0)) && command -v apt-get >/dev/null; then
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends faketime; } >/dev/null 2>&1 || true
fi

arguments=()
if [[ -n ${ROWS:-} ]]; then arguments+=(--rows "$ROWS"); fi
if [[ -n ${SEEDS:-} ]]; then arguments+=(--seeds "$SEEDS"); fi
if [[ -n ${QUICK:-} ]]; then arguments+=(--quick); fi
# Ctrl-C reaches the driver first, which then leaves its cluster behind.
trap sweep_throwaway_clusters EXIT
trap : INT TERM
"${CARGO_TARGET_DIR:-target}/debug/faults" ${arguments[@]+"${arguments[@]}"} "$@"
