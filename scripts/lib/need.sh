# Sourced by the scripts: collects what this machine lacks and names it all at once, with the command that installs it.

missing_things=()

missing() { missing_things+=("$1"$'\n'"      $2"); }

# need COMMAND NAME INSTALL
need() { command -v "$1" >/dev/null || missing "$2" "$3"; }

# What builds the dashboard and runs the scripts.
need_node() {
  if ! command -v node >/dev/null; then
    missing "Node.js 20.19 or newer" "see https://nodejs.org/en/download (Debian 12 has an older one)"
  elif ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
    missing "Node.js 20.19 or newer (this is $(node --version))" "see https://nodejs.org/en/download"
  fi
  need npm "npm" "apt-get install npm"
}

# What builds the daemons.
need_rust() {
  need cargo "Rust" "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
  need cc "a C compiler, which builds the bundled libpq" "apt-get install build-essential"
}

report_missing() {
  ((${#missing_things[@]})) || return 0
  printf 'This machine lacks:\n' >&2
  printf '  - %s\n' "${missing_things[@]}" >&2
  exit 1
}
