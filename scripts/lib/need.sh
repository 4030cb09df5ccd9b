# Sourced by the scripts: collects what this machine lacks and names it all at once, with the command that installs it.

missing_things=()

missing() { missing_things+=("$1"$'\n'"      $2"); }

# need COMMAND NAME INSTALL
need() { command -v "$1" >/dev/null || missing "$2" "$3"; }

report_missing() {
  ((${#missing_things[@]})) || return 0
  printf 'This machine lacks:\n' >&2
  printf '  - %s\n' "${missing_things[@]}" >&2
  exit 1
}
