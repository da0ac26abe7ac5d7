#!/bin/sh
# Makes a reel of the clips in a folder when they have changed, for cron: it is silent as long as all is well.
#
#     mpt-nightly.sh CLIPS REEL [further options of mpt process]
#
# Variables: MPT (the program), STATE (a folder for lock, log and metrics, which are called after the reel),
# DEADLINE (seconds; what is finished by then is used by the next night). The exit code is that of mpt.
set -u

if [ $# -lt 2 ]; then
    echo "usage: mpt-nightly.sh CLIPS REEL [OPTIONS]" >&2
    exit 2
fi
clips=$1 reel=$2
shift 2
state=${STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/mpt-nightly}
mkdir -p "$state" || exit 3
name=$(basename "$reel")
mine=$state/${name%.*}

# The lock is held by this shell and by mpt, and goes with them, however they end.
exec 9>"$mine.lock"
if ! flock --nonblock 9; then
    echo "mpt-nightly: the last run is still at work on $reel" >&2
    exit 4
fi

"${MPT:-mpt}" process "$clips" -o "$reel" --if-changed --deadline "${DEADLINE:-14400}" \
    --metrics-file "$mine.prom" "$@" >"$mine.log" 2>&1
code=$?

case $code in
    0) exit 0 ;;
    2) what="an option or a setting cannot be read" ;;
    3) what="clips or options cannot be used; nothing was written" ;;
    4) what="no reel was made; what is finished is used by the next run" ;;
    5) what="the reel was made without some of its clips" ;;
    6) what="something that mpt needs is missing: see mpt health" ;;
    7) what="out of memory or disk" ;;
    126 | 127) what="mpt was not found; name it by MPT, or its folder in PATH" ;;
    130 | 143) what="stopped" ;;
    *) what="mpt failed" ;;
esac
# cron mails what is printed.
echo "mpt-nightly: $reel: $what (exit $code)" >&2
tail -n 40 "$mine.log" >&2
exit $code
