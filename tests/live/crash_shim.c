/* Preloaded into certrebind by the crash tests: counts the calls that change something outside the process,
 * and at the Nth ends it by SIGKILL before the call is made, stops it there, or makes the call fail.
 *
 *   CRASH_AT=N         SIGKILL in place of the Nth call
 *   CRASH_IN=NAME      SIGKILL in place of the first call of this name
 *   STOP_IN=NAME       SIGSTOP before the first call of this name
 *   FAIL_AT=N          the Nth call fails with ENOSPC; FAIL_FOR_EVER=1: and all after it
 *   CRASH_LOG=FILE     one line a call: its number and name
 *
 * Programs that certrebind starts (nginx -t) inherit the preload and are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int count; /* of all threads: staging goes on beside the server's test */

static int number(const char *name) {
  const char *value = getenv(name);
  return value != NULL ? atoi(value) : 0;
}

static int is_named(const char *name, const char *call) {
  const char *value = getenv(name);
  return value != NULL && strcmp(value, call) == 0;
}

static void note(int nth, const char *call) {
  const char *path = getenv("CRASH_LOG");
  if (path == NULL) return;
  char line[64];
  int length = snprintf(line, sizeof line, "%d %s\n", nth, call);
  int log = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (log >= 0) {
    if (write(log, line, (size_t)length) < 0) abort();
    syscall(SYS_close, log);
  }
}

/* Nonzero: the call shall fail, errno is set. */
static int fault(const char *call) {
  if (strcmp(program_invocation_short_name, "certrebind") != 0) return 0;
  int nth = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
  note(nth, call);
  if (nth == number("CRASH_AT") || is_named("CRASH_IN", call)) kill(getpid(), SIGKILL);
  static int stopped;
  if (is_named("STOP_IN", call) && __atomic_exchange_n(&stopped, 1, __ATOMIC_SEQ_CST) == 0)
    kill(getpid(), SIGSTOP);
  int at = number("FAIL_AT");
  if (at == 0 || nth < at || (nth > at && number("FAIL_FOR_EVER") == 0)) return 0;
  errno = ENOSPC;
  return 1;
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

int rename(const char *a, const char *b) {
  if (fault("rename")) return -1;
  return REAL(int, rename, const char *, const char *)(a, b);
}
int renameat2(int d, const char *a, int e, const char *b, unsigned f) {
  if (fault("renameat2")) return -1;
  return REAL(int, renameat2, int, const char *, int, const char *, unsigned)(d, a, e, b, f);
}
int link(const char *a, const char *b) {
  if (fault("link")) return -1;
  return REAL(int, link, const char *, const char *)(a, b);
}
int symlink(const char *a, const char *b) {
  if (fault("symlink")) return -1;
  return REAL(int, symlink, const char *, const char *)(a, b);
}
int remove(const char *a) {
  if (fault("remove")) return -1;
  return REAL(int, remove, const char *)(a);
}
int mkdir(const char *a, mode_t m) {
  if (fault("mkdir")) return -1;
  return REAL(int, mkdir, const char *, mode_t)(a, m);
}
int fsync(int d) {
  if (fault("fsync")) return -1;
  return REAL(int, fsync, int)(d);
}
int fdatasync(int d) {
  if (fault("fdatasync")) return -1;
  return REAL(int, fdatasync, int)(d);
}
int syncfs(int d) {
  if (fault("syncfs")) return -1;
  return REAL(int, syncfs, int)(d);
}
/* Of a control socket; handshakes go over TCP. */
ssize_t send(int d, const void *bytes, size_t size, int flags) {
  struct sockaddr_storage where;
  socklen_t length = sizeof where;
  if (getsockname(d, (struct sockaddr *)&where, &length) == 0 && where.ss_family == AF_UNIX &&
      fault("send"))
    return -1;
  return REAL(ssize_t, send, int, const void *, size_t, int)(d, bytes, size, flags);
}
static int open_faulty(const char *path, int flags, mode_t mode) {
  if ((flags & O_EXCL) != 0 && fault("create")) return -1;
  return REAL(int, open, const char *, int, ...)(path, flags, mode);
}
int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return open_faulty(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return open_faulty(path, flags, mode);
}
long syscall(long call, ...) {
  long a[6];
  va_list rest;
  va_start(rest, call);
  for (int i = 0; i < 6; ++i) a[i] = va_arg(rest, long);
  va_end(rest);
  if (call == SYS_pidfd_send_signal && fault("signal")) return -1;
  return REAL(long, syscall, long, ...)(call, a[0], a[1], a[2], a[3], a[4], a[5]);
}
