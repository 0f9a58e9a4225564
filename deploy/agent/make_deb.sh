#!/bin/sh
# make_deb.sh [OUT]: a Debian package of build/release/ghm-agent with its unit and configuration, into OUT (build/).
# dpkg-shlibdeps finds what it needs, so the package says the truth about the machine that it was built on.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:-$root/build}
program=${GHM_BUILD:-$root/build/release}/ghm-agent
[ -x "$program" ] || { echo "make_deb.sh: $program is not there: run ./dev build" >&2; exit 1; }
command -v dpkg-shlibdeps >/dev/null || { echo "make_deb.sh: dpkg-shlibdeps is not there: apt-get install dpkg-dev" >&2; exit 1; }
version=$("$program" --version | cut -d' ' -f2)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir -p "$tree/DEBIAN" "$tree/usr/bin" "$tree/etc/ghm" "$tree/usr/lib/systemd/system" "$work/debian"
install -m 0755 -s "$program" "$tree/usr/bin/ghm-agent"
install -m 0644 "$here/agent.yaml" "$tree/etc/ghm/agent.yaml"
install -m 0644 "$here/ghm-agent.service" "$tree/usr/lib/systemd/system/ghm-agent.service"
install -D -m 0644 "$here/../../LICENSE" "$tree/usr/share/doc/ghm-agent/copyright"
printf 'Source: ghm\n\nPackage: ghm-agent\nArchitecture: any\n' > "$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info "$tree/usr/bin/ghm-agent" | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { echo "make_deb.sh: dpkg-shlibdeps named no library: see above" >&2; exit 1; }
cat > "$tree/DEBIAN/control" <<CONTROL
Package: ghm-agent
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: GPU Health Monitor
Depends: $depends
Section: admin
Priority: optional
Description: agent of GPU Health Monitor
 Reads one GPU host and sends what it finds to a ghm server, with a spool for outages.
CONTROL
echo /etc/ghm/agent.yaml > "$tree/DEBIAN/conffiles"
mkdir -p "$out"
dpkg-deb --root-owner-group --build "$tree" "$out/ghm-agent_${version}_$(dpkg --print-architecture).deb"
