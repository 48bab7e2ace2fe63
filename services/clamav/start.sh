#!/bin/sh
# Starts clamd in a container, with the settings of the local lab: clamd.conf beside this file.
# VIDLAB_CLAMAV=eicar: our test signature alone (20 MB of memory). full: beside ClamAV's own set (over 1 GB), which its
# updater fetches before the first start and keeps new.
set -eu
ours=/vidlab/clamav
database=/var/lib/clamav
scratch=$database/scans # on the volume: what is scanned may be larger than memory
updates=7200            # seconds between two looks for new signatures, as ClamAV's updater has it by default

rm -rf "$scratch"
mkdir "$scratch"
sed -e 's/\$port/3310/' -e '/^TCPAddr/d' \
    -e "s#^DatabaseDirectory.*#DatabaseDirectory $database#" \
    -e "s#^TemporaryDirectory.*#TemporaryDirectory $scratch#" "$ours/clamd.conf" > /tmp/clamd.conf

# The image's own settings name a log file, which cannot be written here. A second copy of the set in memory, to test
# it, would not fit.
update() {
    printf '%s\n' 'DatabaseMirror database.clamav.net' 'TestDatabases no' > /tmp/freshclam.conf
    freshclam --config-file=/tmp/freshclam.conf --datadir="$database" --stdout
}

case "${VIDLAB_CLAMAV:-eicar}" in
eicar)
    rm -f "$database"/*.c[vl]d
    cp "$ours/signatures/eicar.ndb" "$database/"
    ;;
full)
    cp "$ours/signatures/eicar.ndb" "$database/"
    # Where the internet cannot be reached, this fails, says so, and the container is started again.
    [ -n "$(ls "$database"/main.c[vl]d 2>/dev/null)" ] || update
    sed -i 's/^SelfCheck.*/SelfCheck 600/' /tmp/clamd.conf # clamd looks for new signatures
    while sleep "$updates"; do update || echo "no new signatures; tried again in $updates s"; done &
    ;;
*)
    echo "VIDLAB_CLAMAV is '$VIDLAB_CLAMAV'; it must be eicar or full" >&2
    exit 1
    ;;
esac
exec clamd --config-file=/tmp/clamd.conf
