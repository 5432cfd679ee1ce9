// The allocator's memory and the system's.
#pragma once

namespace certrebind {

// Gives back what was freed: allocators keep it for the next time, which for a process that sleeps
// may never come.
void give_back_memory();

}  // namespace certrebind
