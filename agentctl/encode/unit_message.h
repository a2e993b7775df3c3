// A unit's properties as a D-Bus message body: the a(sv) of StartTransientUnit and SetUnitProperties.
#pragma once

#include <systemd/sd-bus.h>

#include "plan/unit.h"

// Appends the array of (name, variant) to m, which is open at that place. err: the property and the cause.
int unit_message_append(sd_bus_message *m, const struct unit *u, struct error *err) _must_check_;
// The same for the properties that can change while the unit runs. Lists are emptied first, because the
// manager adds to what it has.
int unit_message_append_live(sd_bus_message *m, const struct unit *u, struct error *err) _must_check_;
