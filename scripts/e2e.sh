#!/usr/bin/env bash
# The browser tests in Debian's Chromium against a real stack: `scripts/e2e.sh [offline|openai] [TEST FILE...]`.
# Without a pass both run. With the offline model every test runs; with the fake server of the real wire only those
# that are about an answer reaching the screen.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

readonly OPENAI_TESTS=(first-task models)

passes=(offline openai)
case "${1:-}" in
  offline | openai) passes=("$1"); shift ;;
esac

# A file is named by a part of its name.
names() { for word in "${@:2}"; do [[ $1 == *"$word"* || $word == *"$1"* ]] && return; done; return 1; }
programs=(titan-api titan-worker titan-stage fake-model)
rolls_out=no
if [[ ${passes[0]} == offline ]] && { (($# == 0)) || names rollout.test.ts "$@"; }; then rolls_out=yes programs+=(titan-supervise); fi

for program in "${programs[@]}"; do
  [[ -x ${CARGO_TARGET_DIR:-target}/debug/$program ]] || { echo "the debug build of $program is missing: scripts/test.sh build" >&2; exit 1; }
done
node scripts/dashboard.mjs || exit 1
if [[ $rolls_out == yes ]]; then
  command -v python3 >/dev/null || { echo 'no python3 found, which a harmed build needs: apt-get install python3' >&2; exit 1; }
  node scripts/forge.mjs install || exit 1
fi
CHROMIUM_PATH=${CHROMIUM_PATH:-$(command -v chromium || command -v chromium-browser || command -v google-chrome)} ||
  { echo 'no Chromium found: apt-get install chromium' >&2; exit 1; }
export CHROMIUM_PATH

failed=()
for pass in "${passes[@]}"; do
  files=("$@")
  if ((!$#)) && [[ $pass == openai ]]; then files=("${OPENAI_TESTS[@]}"); fi
  echo "--- pass $pass"
  node scripts/e2e-stack.mjs "$pass" -- npm run --silent e2e -- ${files[@]+"${files[@]}"} || failed+=("$pass")
done
((${#failed[@]} == 0)) || { echo "failed: ${failed[*]}" >&2; exit 1; }
