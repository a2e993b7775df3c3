// Invented policies for the tests of rulesets.
#pragma once

#include "expect.h"

#include "plan/egress.h"

// An agent "coder" with UID 65536. allow ends with NULL. Cleared by egress_policy_clear().
static inline void make_policy(struct egress_policy *p, enum egress egress, enum loopback loopback,
                               const char *const *allow)
{
    const struct agent_names names = { .agent = (char[]){ "coder" }, .chain = (char[]){ "agent-coder" } };
    _cleanup_error_ struct error err = { 0 };
    struct endpoint items[32];
    struct spec spec = { .egress = egress, .loopback = loopback, .allow.items = items };
    for (; *allow; allow++)
        expect_ok(endpoint_parse(*allow, &items[spec.allow.count++], &err), &err);
    expect_ok(egress_policy_build(&names, &spec, 65536, p, &err), &err);
}

// An Allow= of every kind: inside the floor, single, wide, loopback; with and without ports and protocols.
static const char *const allow_every_kind[] = {
    "10.0.0.5:53/udp",
    "10.1.0.0/16",
    "0.0.0.0/0:22",
    "127.0.0.1:5432",
    "198.51.100.0/24:8000-8010,9000",
    "198.51.100.10",
    "203.0.113.0/25:53",
    "[::1]:6379",
    "[2001:db8::5]:53/udp",
    "[2001:db8:8000::]/33",
    "[fd00:ec2::254]:80",
    "[::]/0:25",
    NULL,
};
static const char *const allow_nothing[] = { NULL };
