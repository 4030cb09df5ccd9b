#!/usr/bin/env bash
# Prints where the server of moto is, which speaks S3 in the tests. The first time it is installed into a Python environment
# of its own under the build folder; a machine that cannot is told so, and the tests that need it fail.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly VERSION=5.2.5
dir=$PWD/target/tools/moto-$VERSION
server=$dir/bin/moto_server

mkdir -p target/tools
exec 9>target/tools/moto.lock
if command -v flock >/dev/null; then flock 9; fi
if [[ ! -f $dir/ready ]]; then
  command -v python3 >/dev/null || { echo 'python3 is missing: apt-get install python3 python3-venv' >&2; exit 1; }
  rm -rf "$dir"
  python3 -m venv "$dir" >&2 || { echo 'python3 makes no environment: apt-get install python3-venv' >&2; exit 1; }
  "$dir/bin/pip" install --quiet --disable-pip-version-check "moto[server]==$VERSION" >&2 ||
    { echo "moto[server] $VERSION could not be installed by pip; without a way to PyPI the tests of S3 cannot run" >&2; exit 1; }
  touch "$dir/ready"
fi
echo "$server"
