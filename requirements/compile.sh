#!/bin/sh
# Makes the locks anew, all from one resolution: `sh requirements/compile.sh [--upgrade]`; needs uv.
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate --no-header "$@" >/dev/null; }
compile "$@" --all-extras --group dev --group site pyproject.toml -o requirements/tests.lock
compile --extra live --extra networks pyproject.toml -c requirements/tests.lock -o requirements/networks.lock
compile --extra live pyproject.toml -c requirements/tests.lock -o requirements/default.lock
echo 'uv>=0.8,<1' | compile "$@" - -o requirements/installer.lock
