// libmicrohttpd 0.9.75 (Debian 12).
#pragma once
#include <sys/socket.h>
#include <sys/uio.h>
#include <microhttpd.h>
