#include "sys/memory.h"

#include <malloc.h>

#include <cstddef>

// jemalloc's, where it is linked (mallctl in jemalloc(3)).
extern "C" int mallctl(const char* name, void* old_value, size_t* old_size, void* new_value,
                       size_t new_size) __attribute__((weak));

namespace certrebind {

void give_back_memory() {
  constexpr const char* kPurgeAll = "arena.4096.purge";  // MALLCTL_ARENAS_ALL
  if (mallctl != nullptr) {
    mallctl(kPurgeAll, nullptr, nullptr, nullptr, 0);
  } else {
    ::malloc_trim(0);
  }
}

}  // namespace certrebind
