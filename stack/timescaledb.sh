#!/bin/sh
# Builds Debian's own source package of TimescaleDB (the Apache edition) for the PostgreSQL that is installed, as root.
# For Debian releases that have PostgreSQL and no timescaledb package (12). Usage: timescaledb.sh PG_CONFIG
set -eu

pg_config=$1
release=trixie # the oldest Debian release that has the source package
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# The mirror is the one that this machine already uses for Debian itself: the first site that carries its own release.
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
site=$(apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(CODENAME) $(REPO_URI)' |
    awk -v codename="$codename" '$1 == "Packages" && $2 == "Debian" && $3 == codename { print $4; exit }')
[ -n "$site" ] || { echo "timescaledb.sh: apt knows no Debian mirror for $codename; check /etc/apt/sources.list" >&2; exit 1; }

# A private apt root, so that the machine's own sources and lists stay as they are.
mkdir -p "$work/lists/partial" "$work/archives/partial"
chmod 755 "$work" # apt reads and downloads as the user _apt
chown -R _apt "$work/lists" "$work/archives" "$work" 2>/dev/null || true
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $release main" >"$work/sources.list"
private() {
    apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$work/lists" \
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "$@"
}
cd "$work"
private update
private source --download-only timescaledb
mkdir src
tar -xf timescaledb_*.orig.tar.* -C src --strip-components=1

cmake -S src -B build -DAPACHE_ONLY=1 -DREGRESS_CHECKS=OFF -DWARNINGS_AS_ERRORS=OFF -DTAP_CHECKS=OFF \
    -DCMAKE_BUILD_TYPE=Release -DPG_CONFIG="$pg_config"
make -C build -j"$(nproc)" install
