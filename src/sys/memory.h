// Returns unused memory to the system.
#pragma once

namespace certrebind {

// For a process that is about to sleep. Returns freed memory to the system, because allocators keep
// it for later use that may never come. Also releases pages of programs and libraries that only the
// start needed. Pages that are needed again come back from the page cache.
void give_back_memory();

}  // namespace certrebind
