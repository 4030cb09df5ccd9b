#!/usr/bin/env bash
# Looks whether everything that Titan is built with is here, then hands over to start.mjs, which needs Node to run.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib/need.sh

need node "Node.js 20.19 or newer" "apt-get install nodejs npm (Debian 12 has an older one: see https://nodejs.org/en/download)"
need npm "npm" "apt-get install npm"
if command -v node >/dev/null && ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
  missing "Node.js 20.19 or newer (this is $(node --version))" "see https://nodejs.org/en/download"
fi
if [[ ${TITAN_PROFILE:-release} != dev || ${1:-} == --dev ]]; then
  need cargo "Rust" "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
  need cc "a C compiler, which builds the bundled libpq" "apt-get install build-essential"
fi
report_missing
exec node scripts/start.mjs "$@"
