// hiredis 0.14 (Debian 12): RESP2, no TLS. Only what 0.14 and 1.x share is used.
#pragma once
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
