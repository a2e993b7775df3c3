// What the files of sys/ that talk to systemd's manager share: its address, its errors, cleanup of sd-bus
// objects.
#pragma once

#include <systemd/sd-bus.h>

#include "base/cleanup.h"
#include "base/error.h"

#define MANAGER_SERVICE "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define MANAGER_UNITS MANAGER_PATH "/unit"
#define MANAGER_NO_SUCH_UNIT "org.freedesktop.systemd1.NoSuchUnit"

#define _cleanup_bus_error_ _cleanup_(sd_bus_error_free)
#define _cleanup_bus_message_ _cleanup_(sd_bus_message_unrefp)

// "what: the manager's own message", or the text of -r. Returns r.
int manager_error(struct error *err, int r, const sd_bus_error *e, const char *what);
