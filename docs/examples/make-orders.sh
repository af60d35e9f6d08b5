#!/bin/bash
# Writes a made-up export of orders as CSV to standard output: make-orders.sh [ROWS]
#
# The 102,052 rows it writes when not told otherwise are 81 MB as JSON. The same rows give the same
# bytes, so that a second run shows whether something changed.
set -euo pipefail

LC_ALL=C awk -v rows="${1:-102052}" 'BEGIN {
    split("Oslo Bergen Trondheim Stavanger Tromsø Bodø", city, " ")
    split("new paid packed shipped delivered returned", state, " ")
    text = "Leave it with the neighbour, ring twice, and mind the \"\"dog\"\"; "
    for (i = 1; i <= 6; i++) note = note text
    print "order_id,customer_id,customer,street,city,postcode,phone,email,ordered_at,state,express," \
        "lines,net,vat,total,currency,discount,note,shipped_at,carrier,tracking"
    for (i = 1; i <= rows; i++) {
        net = (i * 7919) % 90000 / 100 + 1
        # Leading zeros stay text, empty fields become null.
        printf "%d,%d,\"Customer %d, Inc.\",\"Street %d, 2nd floor\",%s,%04d,004790%06d,", \
            i, i % 9001, i % 9001, i % 300, city[i % 6 + 1], i % 9999, i % 1000000
        printf "customer%d@example.org,2025-%02d-%02dT%02d:%02d:00Z,%s,%s,%d,%.2f,%.2f,%.2f,NOK,,", \
            i % 9001, i % 12 + 1, i % 28 + 1, i % 24, i % 60, state[i % 6 + 1], \
            (i % 5 ? "false" : "true"), i % 7 + 1, net, net * 0.25, net * 1.25
        printf "\"%s\",%s,%s,%s\n", note, (i % 3 ? "2025-12-01" : ""), (i % 3 ? "Post" : ""), \
            (i % 3 ? sprintf("TR%012d", i) : "")
    }
}'
