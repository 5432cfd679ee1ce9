#include <cstdio>
#include <exception>

#include "cli/program.h"
#include "sys/guard.h"

int main(int argc, char** argv) {
  certrebind::guard_process();
  try {
    return certrebind::run_certrebind(argc, argv);
  } catch (const std::exception& error) {
    // Nothing should arrive here: rooms hand errors on as values. Memory may still run out.
    std::fprintf(stderr, "certrebind: %s\n", error.what());
    return certrebind::kNeedsOperator;
  }
}
