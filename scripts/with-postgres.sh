#!/usr/bin/env bash
# Runs a command with a Postgres: `data` is the database of DATABASE_URL, else the one under the data folder;
# `throwaway` is a fresh cluster that is gone afterwards and may lose data when the machine crashes; `bench` is one that
# is gone afterwards too, but as safe and as large as one that is to be measured.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib/sweep.sh

usage='usage: scripts/with-postgres.sh {data|throwaway|bench} COMMAND...'
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
  throwaway | bench)
    mkdir -p target
    sweep_throwaway_clusters
    dir=$(mktemp -d target/throwaway-postgres.XXXXXX)
    echo $$ >"$dir/owner"
    trap 'scripts/postgres.sh destroy --dir "$dir"; rm -rf "$dir"' EXIT
    if [[ $kind == throwaway ]]; then
      settings=(--throwaway)
    else
      settings=(--set shared_buffers=1GB --set max_wal_size=8GB)
      TITAN_PG_PROGRAMS=$(scripts/postgres.sh programs --dir "$dir")
      export TITAN_PG_PROGRAMS
      # Where there is the library that counts statements, it is loaded, and counts only while the bench asks it to.
      library=$("$TITAN_PG_PROGRAMS/pg_config" --pkglibdir 2>/dev/null || true)/pg_stat_statements.so
      if [[ -f $library ]]; then
        settings+=(--set shared_preload_libraries=pg_stat_statements --set pg_stat_statements.track=none --set compute_query_id=off)
      fi
    fi
    DATABASE_URL=$(scripts/postgres.sh ensure --dir "$dir" "${settings[@]}")
    TITAN_TEST_DATABASE_URL=$(scripts/postgres.sh url --dir "$dir" --database postgres)
    export TITAN_TEST_DATABASE_URL
    ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
export DATABASE_URL
# Bash runs the traps only once the command has ended, so Ctrl-C reaches the command first.
trap : INT TERM
"$@"
