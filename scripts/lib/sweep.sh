# Sourced: removes the throwaway clusters of those who were killed before they could do so themselves.

sweep_throwaway_clusters() {
  local old
  for old in target/throwaway-postgres.*; do
    [[ -f $old/owner ]] || continue
    if kill -0 "$(<"$old/owner")" 2>/dev/null; then continue; fi
    scripts/postgres.sh destroy --dir "$old"
    rm -rf "$old"
  done
}
