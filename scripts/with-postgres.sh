#!/usr/bin/env bash
# Runs a command with a Postgres: `data` is the database of DATABASE_URL, else the one under the data folder;
# `throwaway` is a fresh cluster that is gone afterwards and may lose data when the machine crashes.
set -euo pipefail
cd "$(dirname "$0")/.."

usage='usage: scripts/with-postgres.sh {data|throwaway} COMMAND...'
kind=${1:-}
shift || { echo "$usage" >&2; exit 2; }
(($#)) || { echo "$usage" >&2; exit 2; }
case "$kind" in
  data)
    # As in `make start`: .env counts, and the environment wins over it.
    from_env() {
      node -e 'try { process.loadEnvFile(".env") } catch (e) { if (e.code !== "ENOENT") throw e } process.stdout.write(process.env[process.argv[1]] ?? "")' "$1"
    }
    DATABASE_URL=$(from_env DATABASE_URL)
    TITAN_DATA_DIR=$(from_env TITAN_DATA_DIR)
    if [[ -z $DATABASE_URL ]]; then
      dir=${TITAN_DATA_DIR:-data}/postgres
      scripts/postgres.sh status --dir "$dir" >/dev/null 2>&1 || trap 'scripts/postgres.sh stop --dir "$dir"' EXIT
      DATABASE_URL=$(scripts/postgres.sh ensure --dir "$dir")
    fi
    ;;
  throwaway)
    mkdir -p target
    # What a killed one left behind.
    for old in target/throwaway-postgres.*; do
      [[ -f $old/owner ]] || continue
      if kill -0 "$(<"$old/owner")" 2>/dev/null; then continue; fi
      scripts/postgres.sh destroy --dir "$old"
      rm -rf "$old"
    done
    dir=$(mktemp -d target/throwaway-postgres.XXXXXX)
    echo $$ >"$dir/owner"
    trap 'scripts/postgres.sh destroy --dir "$dir"; rm -rf "$dir"' EXIT
    DATABASE_URL=$(scripts/postgres.sh ensure --dir "$dir" --throwaway)
    TITAN_TEST_DATABASE_URL=$(scripts/postgres.sh url --dir "$dir" --database postgres)
    export TITAN_TEST_DATABASE_URL
    ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
export DATABASE_URL
# Bash runs the traps only once the command has ended, so Ctrl-C reaches the command first.
trap : INT TERM
"$@"
