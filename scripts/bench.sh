#!/usr/bin/env bash
# Builds the bench and the daemons for release and measures them on a Postgres of its own: `make bench` explains itself
# in docs/DEVELOPMENT.md. ROWS chooses rows, QUICK=1 only looks whether they work, PEERS names what peers reached; what
# is given as arguments goes to the bench.
set -euo pipefail
cd "$(dirname "$0")/.."

release=${CARGO_TARGET_DIR:-target}/release
node scripts/dashboard.mjs
cargo build --locked --release -p titan-api -p titan-worker --features titan-api/dashboard
cargo build --locked --release -p titan-testkit --bin bench --bin bench-worker

arguments=()
if [[ -n ${ROWS:-} ]]; then arguments+=(--rows "$ROWS"); fi
if [[ -n ${PEERS:-} ]]; then arguments+=(--peers "$PEERS"); fi
if [[ -n ${QUICK:-} ]]; then
  arguments+=(--quick)
elif [[ -z ${ROWS:-} ]]; then
  # Only a whole run is worth keeping.
  arguments+=(--out docs/BENCHMARKS.md --json target/bench.json)
fi
# Ten thousand subscribers are ten thousand sockets, on both sides.
ulimit -Sn "$(ulimit -Hn)"
exec scripts/with-postgres.sh bench "$release/bench" ${arguments[@]+"${arguments[@]}"} "$@"
