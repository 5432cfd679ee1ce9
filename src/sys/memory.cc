#include "sys/memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

// jemalloc's function, if linked (mallctl in jemalloc(3)).
extern "C" int mallctl(const char* name, void* old_value, size_t* old_size, void* new_value,
                       size_t new_size) __attribute__((weak));

namespace certrebind {

namespace {

// Drops read-only segments only: their pages can be read from the file again.
int drop_pages(dl_phdr_info* object, size_t, void*) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    uintptr_t begin = (object->dlpi_addr + segment.p_vaddr + page - 1) / page * page;
    uintptr_t end = (object->dlpi_addr + segment.p_vaddr + segment.p_memsz) / page * page;
    if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void give_back_memory() {
  constexpr const char* kPurgeAll = "arena.4096.purge";  // MALLCTL_ARENAS_ALL
  if (mallctl != nullptr) {
    mallctl(kPurgeAll, nullptr, nullptr, nullptr, 0);
  } else {
    ::malloc_trim(0);
  }
  ::dl_iterate_phdr(drop_pages, nullptr);
}

}  // namespace certrebind
