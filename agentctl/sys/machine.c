// Opens what a changing command needs, the lock first. Changes nothing.
#include "sys/machine.h"

#include "sys/lock.h"
#include "sys/store.h"

static int open_parts(struct machine *m, const char *verb, bool lock, bool ends, struct error *err)
{
    int r = store_read_conf(&m->conf, err);
    if (r < 0)
        return r;
    r = manager_open(&m->manager, err);
    if (r < 0)
        return r;
    r = manager_read_host(m->manager, &m->host, err);
    if (r < 0)
        return r;
    _cleanup_error_ struct error no_nft = { 0 };
    r = nft_open(&m->nft, &no_nft);
    if (r < 0 && !ends)
        return error_class(err, no_nft.class, "%s", no_nft.text);
    return lock ? lock_acquire(verb, m->conf.lock_timeout_usec, &m->lock_fd, err) : 0;
}

int machine_open(struct machine *ret, const char *verb, bool lock, bool ends, struct error *err)
{
    _cleanup_machine_ struct machine m = { .lock_fd = -1 };
    int r = open_parts(&m, verb, lock, ends, err);
    if (r < 0)
        return r;
    *ret = m;
    m = (struct machine){ .lock_fd = -1 };
    return 0;
}

void machine_close(struct machine *m)
{
    cleanup_close(&m->lock_fd);
    (void)nft_close(m->nft);
    (void)manager_close(m->manager);
    conf_clear(&m->conf);
    *m = (struct machine){ .lock_fd = -1 };
}
