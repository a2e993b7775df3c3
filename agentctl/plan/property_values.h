// Property values that depend on the spec, the names or the host: the functions that rows of the property
// table point to. Each is a property_fill (plan/properties.h).
#pragma once

#include "plan/properties.h"

#define PROPERTY_FILL(name) int name(const struct unit_input *input, struct property *p, struct error *err)

PROPERTY_FILL(fill_description);
PROPERTY_FILL(fill_slice_description);
PROPERTY_FILL(fill_start_limit_interval);
PROPERTY_FILL(fill_start_limit_burst);
PROPERTY_FILL(fill_user);
PROPERTY_FILL(fill_slice);
PROPERTY_FILL(fill_agent);
PROPERTY_FILL(fill_working_directory);
PROPERTY_FILL(fill_environment);
PROPERTY_FILL(fill_exec_start);
PROPERTY_FILL(fill_restart);
PROPERTY_FILL(fill_restart_delay);
PROPERTY_FILL(fill_restart_steps);
PROPERTY_FILL(fill_restart_max_delay);
PROPERTY_FILL(fill_runtime_max);
PROPERTY_FILL(fill_timeout_stop);

PROPERTY_FILL(fill_protect_home);
PROPERTY_FILL(fill_temporary_file_systems);
PROPERTY_FILL(fill_binds);
PROPERTY_FILL(fill_read_only_binds);
PROPERTY_FILL(fill_inaccessible_paths);
PROPERTY_FILL(fill_read_only_paths);
PROPERTY_FILL(fill_no_exec_paths);
PROPERTY_FILL(fill_exec_paths);

PROPERTY_FILL(fill_address_deny);
PROPERTY_FILL(fill_address_allow);
PROPERTY_FILL(fill_interfaces);

PROPERTY_FILL(fill_cpu_quota);
PROPERTY_FILL(fill_cpu_weight);
PROPERTY_FILL(fill_memory_max);
PROPERTY_FILL(fill_memory_high);
PROPERTY_FILL(fill_memory_swap_max);
PROPERTY_FILL(fill_tasks_max);
PROPERTY_FILL(fill_io_weight);
PROPERTY_FILL(fill_io_read_bandwidth);
PROPERTY_FILL(fill_io_write_bandwidth);
PROPERTY_FILL(fill_io_read_iops);
PROPERTY_FILL(fill_io_write_iops);
