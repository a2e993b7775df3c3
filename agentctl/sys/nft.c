// The one place that changes nftables: each change is one batch, read, built and sent against one generation
// of the rules, so that nobody's change in between is lost. Never touches a table but its own.
#include "sys/nft.h"

#include <errno.h>
#include <libnftnl/object.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "encode/ruleset.h"
#include "sys/nft_dump.h"

#define ATTEMPTS_MAX 20 // when others change rules at the same time

static int refusal(struct error *err, int r, const char *what)
{
    if (r == -EPERM || r == -EACCES)
        return error_set(err, -r, "nftables: %s needs the capability CAP_NET_ADMIN (run as root)", what);
    if (r == -EINTR || r == -ERESTART)
        return error_set(err, EAGAIN, "nftables: %s failed: others keep changing the rules", what);
    return error_errno(err, -r, "nftables: %s failed", what);
}

// --- the socket ---

// Asking for the generation is the smallest thing that needs both the privilege and nf_tables.
static int check_kernel(struct nft *n, struct error *err)
{
    uint32_t generation = 0;
    int r = nft_read_generation(n, &generation);
    if (r == -EINVAL || r == -EOPNOTSUPP)
        return error_set(err, EOPNOTSUPP, "nftables: this kernel has no nf_tables (module nf_tables)");
    return r < 0 ? refusal(err, r, "reading rules") : 0;
}

int nft_open(struct nft **ret, struct error *err)
{
    _cleanup_nft_ struct nft *n = calloc(1, sizeof(*n));
    if (!n)
        return error_oom(err);
    n->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (!n->socket && (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT))
        return error_set(err, EOPNOTSUPP,
                         "nftables: this kernel has no netfilter (CONFIG_NETFILTER_NETLINK)");
    if (!n->socket || mnl_socket_bind(n->socket, 0, MNL_SOCKET_AUTOPID) < 0)
        return error_errno(err, errno, "nftables: cannot open a netlink socket");
    int r = check_kernel(n, err);
    if (r < 0)
        return r;
    *ret = take_ptr(n);
    return 0;
}

struct nft *nft_close(struct nft *n)
{
    if (n && n->socket)
        (void)mnl_socket_close(n->socket); // nothing is pending
    free(n);
    return NULL;
}

// A batch is one datagram, which the default buffer bounds to some 200 KiB.
static void widen_buffers(struct nft *n, size_t size)
{
    int fd = mnl_socket_get_fd(n->socket), bytes = (int)(2 * size + NFT_BUFFER_SIZE);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes,
                     sizeof(bytes)); // sending tells if it is too small
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)); // receiving tells
}

// The first message of one packet that reports an error; acknowledgements of an aborted batch mean nothing.
static int find_error(const char *data, int size, uint32_t *ret_sequence)
{
    for (const struct nlmsghdr *m = (const struct nlmsghdr *)data; mnl_nlmsg_ok(m, size);
         m = mnl_nlmsg_next(m, &size)) {
        const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);
        if (m->nlmsg_type == NLMSG_ERROR && mnl_nlmsg_get_payload_len(m) >= sizeof(*e) && e->error != 0) {
            *ret_sequence = m->nlmsg_seq;
            return e->error;
        }
    }
    return 0;
}

// The kernel works while the batch is being sent: whatever it has to say is there when sending returns.
// Returns the first error; every packet is read, so that none is left for the next request.
static int read_errors(struct nft *n, uint32_t *ret_sequence)
{
    int first = 0;
    for (;;) {
        ssize_t size = recv(mnl_socket_get_fd(n->socket), n->answer, sizeof(n->answer), MSG_DONTWAIT);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return first < 0 ? first : errno == EAGAIN ? 0 : -errno;
        if (first == 0)
            first = find_error(n->answer, (int)size, ret_sequence);
    }
}

// Returns -ERESTART if the rules are not of that generation any more; nothing has changed then.
static int send_batch(struct nft *n, struct ruleset_batch *b, uint32_t generation, struct error *err)
{
    const void *data = NULL;
    size_t size = 0;
    uint32_t first = n->sequence + 1, sequence = first;
    int r = ruleset_batch_finish(b, first, generation, &data, &size, err);
    if (r < 0)
        return r;
    n->sequence += (uint32_t)(size / sizeof(struct nlmsghdr)) + 1; // beyond any of the batch
    widen_buffers(n, size);
    if (mnl_socket_sendto(n->socket, data, size) < 0)
        return refusal(err, -errno, "changing rules");

    r = read_errors(n, &sequence);
    if (r == 0 || r == -ERESTART)
        return r;
    if (r == -EPERM || r == -EACCES)
        return refusal(err, r, "changing rules");
    return error_errno(err, -r, "nftables: the kernel refused the %s", ruleset_batch_describe(b, sequence));
}

// --- agents ---

// One attempt at a change. Returns 0, -ERESTART or -EINTR to be run again, or another error with its text in
// err.
typedef int (*change)(struct nft *n, const struct ruleset *base, const struct ruleset *agent,
                      const struct egress_policy *p, struct error *err);

static int read_before(struct nft *n, const struct ruleset *agent, const struct egress_policy *p,
                       uint32_t *ret_generation, struct ruleset *ret_present, struct error *err)
{
    int r = nft_read_generation(n, ret_generation);
    if (r == 0)
        r = nft_read_present(n, agent, p->uid, ret_present);
    return r == 0 || r == -EINTR ? r : refusal(err, r, "reading rules");
}

static int try_install(struct nft *n, const struct ruleset *base, const struct ruleset *agent,
                       const struct egress_policy *p, struct error *err)
{
    _cleanup_batch_ struct ruleset_batch *b = ruleset_batch_new();
    _cleanup_ruleset_ struct ruleset present = { 0 };
    uint32_t generation = 0;
    if (!b)
        return error_oom(err);
    int r = read_before(n, agent, p, &generation, &present, err);
    if (r < 0)
        return r;
    present.chain_count = present.counter_count = 0; // the chain is filled anew, the counters go on counting
    ruleset_batch_remove(b, &present);
    ruleset_batch_add(b, base);
    ruleset_batch_add(b, agent);
    return send_batch(n, b, generation, err);
}

static int try_remove(struct nft *n, const struct ruleset *base, const struct ruleset *agent,
                      const struct egress_policy *p, struct error *err)
{
    _cleanup_batch_ struct ruleset_batch *b = ruleset_batch_new();
    _cleanup_ruleset_ struct ruleset present = { 0 };
    uint32_t generation = 0;
    bool table = false, others = false;
    if (!b)
        return error_oom(err);
    int r = read_before(n, agent, p, &generation, &present, err);
    if (r < 0)
        return r;
    r = nft_read_table(n, &table);
    if (r == 0 && table)
        r = nft_read_other_agents(n, p->chain, &others);
    if (r < 0)
        return r == -EINTR ? r : refusal(err, r, "reading rules");
    if (!table)
        return 0;
    if (others)
        ruleset_batch_remove(b, &present);
    else
        ruleset_batch_remove_table(b);
    return send_batch(n, b, generation, err);
}

static int run_change(struct nft *n, change attempt, const struct ruleset *base,
                      const struct egress_policy *p, struct error *err)
{
    _cleanup_ruleset_ struct ruleset agent = { 0 };
    int r = ruleset_build_agent(p, &agent, err);
    if (r < 0)
        return r;
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        r = attempt(n, base, &agent, p, err);
        if (r != -ERESTART && r != -EINTR)
            return r;
    }
    return refusal(err, r, "changing rules");
}

int nft_agent_install(struct nft *n, const struct conf *conf, const struct egress_policy *p,
                      struct error *err)
{
    _cleanup_ruleset_ struct ruleset base = { 0 };
    int r = ruleset_build_base(conf->uid_first, conf->uid_last, &base, err);
    return r < 0 ? r : run_change(n, try_install, &base, p, err);
}

int nft_agent_remove(struct nft *n, const struct egress_policy *p, struct error *err)
{
    return run_change(n, try_remove, NULL, p, err);
}

static int read_match(struct nft *n, const struct ruleset *base, const struct ruleset *agent, uint32_t uid,
                      enum nft_match *ret)
{
    _cleanup_ruleset_ struct ruleset present = { 0 };
    bool same = false;
    int r = nft_read_present(n, agent, uid, &present);
    if (r < 0)
        return r;
    if (present.chain_count == 0 && present.counter_count == 0 && present.element_count == 0) {
        *ret = NFT_MATCH_ABSENT;
        return 0;
    }
    r = nft_compare(n, agent, &same);
    if (r == 0 && same)
        r = nft_compare(n, base, &same);
    if (r == 0)
        *ret = same && present.element_count == agent->element_count ? NFT_MATCH_SAME : NFT_MATCH_DIFFERENT;
    return r;
}

// What is read piece by piece is one state only if nobody changed anything in between: -EINTR otherwise.
static int try_match(struct nft *n, const struct ruleset *base, const struct ruleset *agent, uint32_t uid,
                     enum nft_match *ret)
{
    uint32_t before = 0, after = 0;
    int r = nft_read_generation(n, &before);
    if (r == 0)
        r = read_match(n, base, agent, uid, ret);
    if (r == 0)
        r = nft_read_generation(n, &after);
    return r == 0 && before != after ? -EINTR : r;
}

int nft_agent_match(struct nft *n, const struct conf *conf, const struct egress_policy *p,
                    enum nft_match *ret, struct error *err)
{
    _cleanup_ruleset_ struct ruleset base = { 0 }, agent = { 0 };
    int r = ruleset_build_base(conf->uid_first, conf->uid_last, &base, err);
    if (r == 0)
        r = ruleset_build_agent(p, &agent, err);
    if (r < 0)
        return r;
    enum nft_match match = NFT_MATCH_ABSENT;
    r = -EINTR;
    for (int i = 0; i < ATTEMPTS_MAX && r == -EINTR; i++)
        r = try_match(n, &base, &agent, p->uid, &match);
    if (r < 0)
        return refusal(err, r, "reading rules");
    *ret = match;
    return 0;
}

// --- counters ---

struct wanted_counters {
    const char *agent;
    struct nft_counters *counters;
};

struct counter_search {
    struct wanted_counters *wanted; // sorted by agent
    size_t count;
};

static int compare_agents(const void *a, const void *b)
{
    return strcmp(((const struct wanted_counters *)a)->agent, ((const struct wanted_counters *)b)->agent);
}

static void take_counter(struct counter_search *s, const char *agent, bool accepted, struct nftnl_obj *o)
{
    const struct wanted_counters key = { .agent = agent };
    const struct wanted_counters *found =
        bsearch(&key, s->wanted, s->count, sizeof(*s->wanted), compare_agents);
    if (!found)
        return;
    *(accepted ? &found->counters->accepted : &found->counters->refused) = (struct nft_counter){
        .packets = nftnl_obj_get_u64(o, NFTNL_OBJ_CTR_PKTS),
        .bytes = nftnl_obj_get_u64(o, NFTNL_OBJ_CTR_BYTES),
    };
}

static int each_counter(const struct nlmsghdr *message, void *userdata)
{
    static const char accepted[] = "accepted-", refused[] = "refused-";
    struct nftnl_obj *o = nftnl_obj_alloc();
    if (!o || nftnl_obj_nlmsg_parse(message, o) < 0) {
        if (o)
            nftnl_obj_free(o);
        errno = ENOMEM;
        return MNL_CB_ERROR;
    }
    const char *name = nftnl_obj_get_str(o, NFTNL_OBJ_NAME);
    if (name && str_prefix(name, accepted))
        take_counter(userdata, name + strlen(accepted), true, o);
    else if (name && str_prefix(name, refused))
        take_counter(userdata, name + strlen(refused), false, o);
    nftnl_obj_free(o);
    return MNL_CB_OK;
}

int nft_counters_read(struct nft *n, const struct egress_policy *policies, size_t count,
                      struct nft_counters *ret, struct error *err)
{
    if (count == 0)
        return 0;
    _cleanup_free_ struct wanted_counters *wanted = calloc(count, sizeof(*wanted));
    _cleanup_free_ struct nft_counters *counters = calloc(count, sizeof(*counters));
    if (!wanted || !counters)
        return error_oom(err);
    for (size_t i = 0; i < count; i++)
        wanted[i] = (struct wanted_counters){ .agent = policies[i].agent, .counters = &counters[i] };
    qsort(wanted, count, sizeof(*wanted), compare_agents);

    struct counter_search s = { .wanted = wanted, .count = count };
    int r = -EINTR;
    for (int i = 0; i < ATTEMPTS_MAX && r == -EINTR; i++)
        r = nft_query(n, nft_request_counters(n), each_counter, &s);
    if (r < 0)
        return refusal(err, r, "reading counters");
    memcpy(ret, counters, count * sizeof(*ret));
    return 0;
}
