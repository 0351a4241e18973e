/* A disk without shared memory (NO_SHM set) or without file locks (NO_LOCKS: the number of the error), for files named
   like our database. SYNCED names a folder that gets a copy of each such file when it is synced: what a power failure
   would leave at worst. To be loaded before libc, by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *our_name(int fd) {
    static __thread char name[4096];
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 0) return NULL;
    name[length] = 0;
    return strstr(name, "sessions.db");
}

static int is_ours(int fd) { return our_name(fd) != NULL; }

static void keep(int fd) {
    const char *folder = getenv("SYNCED"), *name = our_name(fd);
    if (!folder || !name) return;
    char path[8300], part[8310], buffer[65536];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(part, sizeof part, "%s.part", path);
    int copy = open(part, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    off_t at = 0;
    for (ssize_t length; (length = pread(fd, buffer, sizeof buffer, at)) > 0; at += length)
        if (write(copy, buffer, length) != length) abort();
    close(copy);
    rename(part, path);
}

#define SYNC(name)                                         \
    int name(int fd) {                                     \
        static int (*real)(int);                           \
        if (!real) real = dlsym(RTLD_NEXT, #name);         \
        int result = real(fd);                             \
        if (!result) keep(fd);                             \
        return result;                                     \
    }

SYNC(fsync)
SYNC(fdatasync)

static int refuses(int fd, int command) {
    if (!getenv("NO_LOCKS") || (command != F_SETLK && command != F_SETLKW && command != F_GETLK) || !is_ours(fd)) return 0;
    errno = atoi(getenv("NO_LOCKS"));
    return 1;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    static void *(*real)(void *, size_t, int, int, int, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "mmap");
    if (getenv("NO_SHM") && fd >= 0 && (flags & MAP_SHARED) && is_ours(fd)) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    return real(address, length, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    return mmap(address, length, protection, flags, fd, offset);
}

#define FCNTL(name)                                      \
    int name(int fd, int command, ...) {                 \
        static int (*real)(int, int, ...);               \
        va_list rest;                                    \
        va_start(rest, command);                         \
        void *argument = va_arg(rest, void *);           \
        va_end(rest);                                    \
        if (!real) real = dlsym(RTLD_NEXT, #name);       \
        return refuses(fd, command) ? -1 : real(fd, command, argument); \
    }

FCNTL(fcntl)
FCNTL(fcntl64)

int flock(int fd, int operation) {
    static int (*real)(int, int);
    if (!real) real = dlsym(RTLD_NEXT, "flock");
    return refuses(fd, F_SETLK) ? -1 : real(fd, operation);
}
