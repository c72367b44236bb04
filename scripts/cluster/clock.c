/* The machine's clock as a process sees it, CLOCK_OFFSET seconds off; the clocks that count from the start stay right.
   For LD_PRELOAD in skew.sh. A time of day that somebody waits for is shifted back: the system's clock is right. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static long offset(void) {
    static long value;
    static int known;
    if (!known) {
        const char *text = getenv("CLOCK_OFFSET");
        value = text ? atol(text) : 0;
        known = 1;
    }
    return value;
}

/* Above this, seconds count from 1970 and not from the machine's start. */
static int is_time_of_day(const struct timespec *time) { return time->tv_sec > 500000000; }

static struct timespec shifted_back(const struct timespec *time) {
    struct timespec result = *time;
    if (is_time_of_day(time)) result.tv_sec -= offset();
    return result;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += offset();
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}

int pthread_cond_timedwait(
    pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict until
) {
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!real) *(void **)&real = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    struct timespec then = shifted_back(until);
    return real(condition, mutex, &then);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    static int (*real)(sem_t *, const struct timespec *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "sem_timedwait");
    struct timespec then = shifted_back(until);
    return real(semaphore, &then);
}

int timerfd_settime(int timer, int flags, const struct itimerspec *value, struct itimerspec *before) {
    static int (*real)(int, int, const struct itimerspec *, struct itimerspec *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "timerfd_settime");
    struct itimerspec then = *value;
    if (flags & TFD_TIMER_ABSTIME) then.it_value = shifted_back(&value->it_value);
    return real(timer, flags, &then, before);
}
