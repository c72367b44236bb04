#pragma once

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// Calls of the kernel that Debian 12's C library has no function for, or that Swift does not see.

/// How many pages of a file's range are in memory: cachestat(2), Linux 6.5. -1 where it cannot be told so.
static inline int64_t linux_cached_pages(int descriptor, uint64_t offset, uint64_t length) {
    // The same number on every architecture.
    enum { cachestat = 451 };
    struct { uint64_t offset, length; } range = {offset, length};
    struct { uint64_t cached, dirty, writeback, evicted, recently_evicted; } found;
    return syscall(cachestat, descriptor, &range, &found, 0) == 0 ? (int64_t)found.cached : -1;
}

/// Whether the byte at `offset` can be read without waiting: preadv2(2) with RWF_NOWAIT. 1 = yes, 0 = no, -1 = the file
/// system does not say.
static inline int linux_reads_now(int descriptor, int64_t offset) {
    enum { nowait = 8 };
    char byte;
    struct iovec part = {&byte, 1};
    ssize_t count = preadv2(descriptor, &part, 1, offset, nowait);
    if (count == 1) return 1;
    return count < 0 && errno != EAGAIN ? -1 : 0;
}

/// The descriptor of a file without a name whose bytes are in memory, closed on exec: memfd_create(2). -1 when there is none.
static inline int linux_memory_file(const char *name) {
    enum { close_on_exec = 1 };
    return (int)syscall(SYS_memfd_create, name, close_on_exec);
}
