#!/usr/bin/env bash
# Everything that must hold, in named stages: `scripts/test.sh` runs all, `scripts/test.sh STAGE...` only those.
# A stage that fails does not keep the others from running; the exit code is 1 when any failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. scripts/lib/need.sh

readonly ALL_STAGES=(tasks env fmt licences clippy doc build rust sandbox pipelines faults openapi dashboard scripts e2e)
# Not part of a plain run, because they take minutes.
readonly MORE_STAGES=(scale)
readonly LOGS=target/test-logs DASHBOARD=crates/titan-api/dashboard FORGE=crates/titan-testkit/forge
# The same selection everywhere: with another one cargo would build the dependencies again.
readonly SELECTION=(--workspace --features titan-api/dashboard)
readonly SANDBOX='package(titan-sandbox)'

stages=("$@")
((${#stages[@]})) || stages=("${ALL_STAGES[@]}")
for stage in "${stages[@]}"; do
  [[ " ${ALL_STAGES[*]} ${MORE_STAGES[*]} " == *" $stage "* ]] ||
    { echo "unknown stage '$stage'; there are: ${ALL_STAGES[*]} ${MORE_STAGES[*]}" >&2; exit 2; }
done
wanted() { [[ " ${stages[*]} " == *" $1 "* ]]; }

# --- what each stage does --------------------------------------------------------------------------------------------

stage_tasks() { node scripts/check-tasks.mjs; }
stage_env() { node scripts/check-env.mjs; }
stage_fmt() { cargo fmt --all --check; }
stage_licences() { node scripts/check-licences.mjs; }
stage_clippy() { cargo clippy --locked "${SELECTION[@]}" --all-targets -- -D warnings; }
stage_doc() { RUSTDOCFLAGS='-D warnings' cargo doc --locked "${SELECTION[@]}" --no-deps; }

has_nextest() { cargo nextest --version >/dev/null 2>&1; }

stage_rust() {
  node scripts/forge.mjs install || return 1
  if has_nextest; then
    scripts/with-postgres.sh throwaway cargo nextest run --locked "${SELECTION[@]}" --no-fail-fast -E "not $SANDBOX"
  else
    scripts/with-postgres.sh throwaway cargo test --locked "${SELECTION[@]}" --exclude titan-sandbox --no-fail-fast
  fi
}

# Fork bombs and the like: alone, since others would find the machine busy.
stage_sandbox() {
  if has_nextest; then
    cargo nextest run --locked "${SELECTION[@]}" --no-fail-fast -E "$SANDBOX"
  else
    cargo test --locked -p titan-sandbox --no-fail-fast
  fi
}

# Commands and pipelines, each shipped template built for real: alone, for the same reason.
stage_pipelines() {
  node scripts/forge.mjs install || return 1
  if has_nextest; then
    scripts/with-postgres.sh throwaway cargo nextest run --locked "${SELECTION[@]}" --no-fail-fast --test pipelines
  else
    scripts/with-postgres.sh throwaway cargo test --locked "${SELECTION[@]}" --no-fail-fast --test pipelines
  fi
}

# The tests that are ignored because of what they put into the database.
stage_scale() { scripts/with-postgres.sh throwaway cargo test --locked "${SELECTION[@]}" --test it -- --ignored; }

# Alone, since it also looks how soon things happen.
stage_faults() { QUICK=1 SEEDS=1 scripts/faults.sh; }

stage_build() { cargo build --locked "${SELECTION[@]}"; }

stage_openapi() {
  # `make generate` writes the snapshot; a change of the API that does not show in it is not to pass.
  "${CARGO_TARGET_DIR:-target}/debug/titan-api" openapi >"$LOGS/openapi.json" || return 1
  diff -u docs/openapi.json "$LOGS/openapi.json" && return 0
  echo 'docs/openapi.json is not what titan-api serves: make generate' >&2
  return 1
}

stage_dashboard() {
  node scripts/dashboard.mjs install &&
    npm --prefix "$DASHBOARD" run --silent check &&
    npm --prefix "$DASHBOARD" run --silent generate -- --check &&
    npm --prefix "$DASHBOARD" run --silent test &&
    node scripts/dashboard.mjs build &&
    npm --prefix "$DASHBOARD" run --silent size
}

stage_scripts() {
  # What an interrupted run left behind.
  local marker
  for marker in target/script-tests/*/*/.titan-postgres target/script-tests/*/*/*/.titan-postgres; do
    if [[ -f $marker ]]; then scripts/postgres.sh destroy --dir "$(dirname "$marker")"; fi
  done
  rm -rf target/script-tests
  node scripts/forge.mjs install &&
    node --test --test-concurrency=1 --test-reporter=spec scripts/tests/*.test.mjs "$FORGE"/test/*.test.mjs
}
stage_e2e() { scripts/e2e.sh; }

# --- setting the machine up ------------------------------------------------------------------------------------------

has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v pg_config >/dev/null; }
has_chromium() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; }
# Debian keeps it where only administrators look.
has_pgbouncer() { command -v pgbouncer >/dev/null || [[ -x /usr/sbin/pgbouncer ]]; }

# Debian starts what it installs, now and at each boot; the tests run a pooler of their own.
retire_pgbouncer() { { update-rc.d pgbouncer disable; service pgbouncer stop; } >>"$LOGS/setup.log" 2>&1 || true; }

set_up() {
  local packages=()
  if wanted rust || wanted pipelines || wanted scale || wanted faults || wanted scripts || wanted e2e; then has_postgres || packages+=(postgresql); fi
  if wanted rust; then has_pgbouncer || packages+=(pgbouncer); fi
  if wanted rust || wanted sandbox || wanted pipelines || wanted e2e; then command -v bwrap >/dev/null || packages+=(bubblewrap); fi
  # Makes the environment for the S3-compatible store of the tests.
  if wanted rust || wanted pipelines; then python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3 python3-venv); fi
  # Makes the certificate of the git server of the tests.
  if wanted pipelines; then command -v openssl >/dev/null || packages+=(openssl); fi
  # Brings up the network of a machine that is made of namespaces; Debian keeps it where only administrators look.
  if wanted pipelines; then command -v ip >/dev/null || [[ -x /usr/sbin/ip ]] || packages+=(iproute2); fi
  if wanted scripts; then command -v psql >/dev/null || packages+=(postgresql-client); fi
  if wanted e2e; then has_chromium || packages+=(chromium); fi
  # What harms a build that is rolled out in a test.
  if wanted e2e; then command -v python3 >/dev/null || packages+=(python3); fi
  command -v cc >/dev/null || packages+=(build-essential)
  if ((${#packages[@]})); then
    if ((EUID == 0)) && command -v apt-get >/dev/null; then
      echo "Installing ${packages[*]}"
      export DEBIAN_FRONTEND=noninteractive
      { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >"$LOGS/setup.log" 2>&1 ||
        missing "${packages[*]}" "apt-get install ${packages[*]} (which just failed: $LOGS/setup.log)"
      if [[ " ${packages[*]} " == *' pgbouncer '* ]]; then retire_pgbouncer; fi
    else
      missing "${packages[*]}" "sudo apt-get install ${packages[*]}"
    fi
  fi
  need_node
  need_rust
  report_missing
}

# --- running them ----------------------------------------------------------------------------------------------------

passed=() failed=()

report() { # STAGE CODE SECONDS
  if (($2 == 0)); then
    passed+=("$1")
    printf 'ok      %-10s %4d s\n' "$1" "$3"
  else
    failed+=("$1")
    printf 'FAILED  %-10s %4d s; the end of %s:\n' "$1" "$3" "$LOGS/$1.log"
    tail -n 60 "$LOGS/$1.log" | sed 's/^/    /'
  fi
}

# Each stage is a process group of its own, so that an interrupted run leaves nothing behind.
running=()
launch() { # STAGE; its process group is $launched
  set -m
  ("stage_$1") >"$LOGS/$1.log" 2>&1 </dev/null 8>&- &
  launched=$!
  set +m
  running+=("$launched")
}

run_stage() {
  wanted "$1" || return 0
  local began=$SECONDS code=0
  printf '...     %s\n' "$1"
  launch "$1"
  wait "$launched" || code=$?
  report "$1" "$code" $((SECONDS - began))
}

# The dashboard's checks need no cargo, so they run beside it.
dashboard_pid='' dashboard_began=0
start_dashboard() {
  wanted dashboard || return 0
  dashboard_began=$(date +%s)
  launch dashboard
  dashboard_pid=$launched
}
# Its time is that of the last line it wrote: it may have been over long before anybody asked.
join_dashboard() {
  [[ -n $dashboard_pid ]] || return 0
  local code=0
  wait "$dashboard_pid" || code=$?
  report dashboard "$code" $(($(date -r "$LOGS/dashboard.log" +%s) - dashboard_began))
}

stop_all() {
  local group
  for group in ${running[@]+"${running[@]}"}; do kill -TERM -- "-$group" 2>/dev/null; done
  wait
}

mkdir -p "$LOGS" "$DASHBOARD/dist"
exec 8>target/test.lock
if command -v flock >/dev/null; then flock -n 8 || { echo 'make test is already running in this folder' >&2; exit 1; }; fi
trap stop_all EXIT
trap 'exit 130' INT TERM HUP

set_up
for stage in tasks env fmt licences; do run_stage "$stage"; done
start_dashboard
for stage in clippy doc build; do run_stage "$stage"; done
# Some Rust tests start the built programs, which read the dashboard's files while they run.
join_dashboard
for stage in rust sandbox pipelines scale faults openapi scripts e2e; do run_stage "$stage"; done

printf '\n%d passed, %d failed\n' "${#passed[@]}" "${#failed[@]}"
((${#failed[@]} == 0)) || { printf 'failed: %s\n' "${failed[*]}"; exit 1; }
