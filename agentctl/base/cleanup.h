// Ownership in code: cleanup attributes, take_ptr()/take_fd() to hand a resource over, array helpers.
// Nothing here allocates.
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _must_check_ __attribute__((warn_unused_result))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _pure_ __attribute__((pure))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

// DEFINE_CLEANUP(struct x, x_free) defines x_freep() for _cleanup_(x_freep) struct x *v. x_free takes NULL.
#define DEFINE_CLEANUP(type, free_function)                                                                  \
    static inline void free_function##p(type **p)                                                            \
    {                                                                                                        \
        if (*p)                                                                                              \
            (void)free_function(*p);                                                                         \
    }

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
    if (*f)
        (void)fclose(*f);
}

static inline void cleanup_closedir(DIR **d)
{
    if (*d)
        (void)closedir(*d);
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)

// The value of a pointer variable, which is NULL afterwards.
#define take_ptr(p)                                                                                          \
    __extension__({                                                                                          \
        __typeof__(p) *_pp = &(p);                                                                           \
        __typeof__(p) _v = *_pp;                                                                             \
        *_pp = NULL;                                                                                         \
        _v;                                                                                                  \
    })

static inline int take_fd(int *fd)
{
    int v = *fd;
    *fd = -1;
    return v;
}
