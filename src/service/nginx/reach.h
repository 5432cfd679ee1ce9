// The addresses for connecting to a listener.
#pragma once

#include <vector>

#include "service/loopback.h"
#include "service/nginx/routing.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::nginx {

class Reaches {
 public:
  Reaches(const std::vector<Group>& groups, const Root& root);

  // One address for each address family of the listener.
  std::vector<Reach> of(const Listen& listen) const;

 private:
  const Root& root_;
  Loopback loopback_;
};

}  // namespace certrebind::nginx
