// What a changing command holds of the machine while it works: the lock, the manager, the nftables socket,
// the host's facts. Opening it proves that everything is there before anything is changed.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "plan/conf.h"
#include "plan/host.h"
#include "sys/manager.h"
#include "sys/nft.h"

struct machine {
    struct conf conf;
    struct manager *manager;
    struct nft *nft;
    struct host host;
    int lock_fd; // -1: not locked (nothing will be changed)
};

// lock: false for --dry-run. verb is what others are told while they wait. ends: nothing will be started, so
// that a host without nftables is no obstacle (nft is NULL then).
int machine_open(struct machine *ret, const char *verb, bool lock, bool ends, struct error *err) _must_check_;
void machine_close(struct machine *m);
#define _cleanup_machine_ _cleanup_(machine_close)
