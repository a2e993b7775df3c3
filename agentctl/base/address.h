// Internet addresses, prefixes, port ranges and protocols as a spec names them. One canonical form: dotted
// quad without leading zeros, RFC 5952 for IPv6; octal, hex, dotless and v4-mapped notations are refused,
// because parsers disagree on them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

enum address_family {
    FAMILY_IPV4,
    FAMILY_IPV6,
    FAMILY_COUNT,
};

// Bits beyond the length are zero. IPv4 uses the first four bytes.
struct prefix {
    enum address_family family;
    uint8_t bytes[16];
    uint8_t length;
};

struct port_range {
    uint16_t first, last; // both included; first >= 1
};

enum protocol {
    PROTOCOL_TCP = 1 << 0,
    PROTOCOL_UDP = 1 << 1,
    PROTOCOL_ANY = PROTOCOL_TCP | PROTOCOL_UDP,
};

#define ENDPOINT_PORTS_MAX 16

// One entry of Allow=: a prefix, optionally ports and a protocol.
//     198.51.100.10   198.51.100.0/24:443   [2001:db8::]/32:80,443,8000-8010/tcp   10.0.0.5:53/udp
// Without ports: every port. Without a protocol: tcp if there are ports, else tcp and udp; "any" is tcp and
// udp. An IPv6 address needs its brackets only before ports.
struct endpoint {
    struct prefix prefix;
    struct port_range ports[ENDPOINT_PORTS_MAX]; // sorted, merged
    size_t port_count;                           // 0: every port
    unsigned protocols;                          // enum protocol, or-ed
};

#define PREFIX_TEXT_MAX 64 // also the longest text that is read as an address
#define ENDPOINT_TEXT_MAX 320

// err: the bare cause, e.g. "host bits are set beyond /24 (did you mean 198.51.100.0/24?)".
int prefix_parse(const char *text, struct prefix *ret, struct error *err) _must_check_;
void prefix_format(const struct prefix *p, char ret[PREFIX_TEXT_MAX]); // "10.0.0.5" for a full length
bool prefix_equal(const struct prefix *a, const struct prefix *b) _pure_;
bool prefix_contains(const struct prefix *outer, const struct prefix *inner) _pure_;
bool prefix_is_single(const struct prefix *p) _pure_; // /32 or /128
int prefix_compare(const struct prefix *a,
                   const struct prefix *b) _pure_; // total order: family, bytes, length

// A host name is refused, saying that names are not supported yet and that an address is needed.
int endpoint_parse(const char *text, struct endpoint *ret, struct error *err) _must_check_;
void endpoint_format(const struct endpoint *e,
                     char ret[ENDPOINT_TEXT_MAX]); // canonical; parses back to the same
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b) _pure_;

const char *protocol_name(enum protocol p); // "tcp", "udp"
