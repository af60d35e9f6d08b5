# Requests, joins, jobs, latency, position and the staleness tick on a Redis of its own: rates beside
# what Redis itself spends on the same scripts in the same run.

run_queue() { "$binaries/queue-bench"; }
