#!/bin/bash
# A report that takes some five seconds: how much room each directory of /usr/share takes.
# Standard output is the payload; descriptor 3 takes progress, a JSON object a line.
set -euo pipefail

# Run by hand, there is nobody to tell.
{ : >&3; } 2>/dev/null || exec 3>/dev/null

now() { echo "${EPOCHREALTIME/[.,]/}"; } # microseconds

directories=(/usr/share/*/)
total=${#directories[@]}
begin=$(now)
count=0
separator=

printf '['
for directory in "${directories[@]}"; do
    name=${directory%/}
    name=${name##*/}
    name=${name//[\"\\]/_}
    size=$(du -sk --one-file-system "$directory" 2>/dev/null || true)
    printf '%s{"name":"%s","size_kib":%d}' "$separator" "$name" "${size%%[!0-9]*}"
    separator=,
    count=$((count + 1))
    printf '{"done":%d,"total":%d,"message":"%s"}\n' "$count" "$total" "$name" >&3
    # Slow enough to watch, however fast the disk is.
    early=$((begin + 5000000 * count / total - $(now)))
    if ((early > 0)); then sleep "$((early / 1000000)).$(printf '%06d' $((early % 1000000)))"; fi
done
printf ']\n'
