// What a process holds of the machine's memory.
#pragma once

namespace certrebind {

// For a process that is going to sleep. What was freed goes back to the system: allocators keep it
// for a next time that may never come. So do the pages of programs and libraries that were needed
// to start: those that are needed again come back from the page cache.
void give_back_memory();

}  // namespace certrebind
