#include "sys/system_error.h"

#include <cerrno>
#include <system_error>

namespace certrebind {

Code code_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH:
      return Code::not_found;
    case EEXIST:
      return Code::exists;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::denied;
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
      return Code::unsupported;
    case ETIMEDOUT:
      return Code::timed_out;
    default:
      return Code::failed;
  }
}

std::unexpected<Error> system_failure(int number, std::string doing, std::string subject) {
  return fail(code_of(number), std::move(doing), std::move(subject),
              std::generic_category().message(number));
}

}  // namespace certrebind
