#!/usr/bin/env bash
# Looks whether everything that Titan is built with is here, then hands over to start.mjs, which needs Node to run.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib/need.sh

need_node
# The profile dev takes what was built before, unless it is `make dev`.
if [[ ${TITAN_PROFILE:-release} != dev || ${1:-} == --dev ]]; then need_rust; fi
report_missing
exec node scripts/start.mjs "$@"
