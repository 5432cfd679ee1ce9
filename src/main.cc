#include "cli/program.h"
#include "sys/guard.h"

int main(int argc, char** argv) {
  certrebind::guard_process();
  return certrebind::run_certrebind(argc, argv);
}
