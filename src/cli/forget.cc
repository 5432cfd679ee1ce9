#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "state/wake.h"
#include "store/bound.h"

namespace certrebind {

namespace {

bool is_running(const Services& services, const std::string& service) {
  return std::ranges::any_of(services.found,
                             [&](const auto& found) { return found->id().text() == service; });
}

// Deletes the records of a server that is stopped for good.
int forget(Context& context, const std::string& service) {
  Host host = context.host();
  auto id = parse_service_id(host, service);
  if (!id) return report(id.error());
  auto services = find_services(host, {});
  if (!services) return report(services.error());
  if (is_running(*services, service))
    return report({Code::busy, "forget", service, "it is running, so it would be found again",
                   "stop it, or have a policy leave it alone"});
  const Error nothing = {Code::not_found, "forget", service, "nothing is remembered of it",
                         "certrebind check names what is gone"};
  // Must not create a state directory.
  auto state = State::open_for_reading(context.settings());
  if (!state) return report(state.error().code == Code::not_found ? nothing : state.error());
  auto database = State::open_beside(host.files, context.settings());
  if (!database) return report(database.error());
  auto known = forget_bound(*database, service);
  if (!known) return report(known.error());
  if (!*known) return report(nothing);
  Done over = set_attention(*database, kGone + service, {}, host.clock.wall());
  if (!over) return report(over.error());
  wake_daemon(host.files, context.settings());
  note_change();
  if (context.json())
    print_json({{"forgotten", printable(service)}});
  else
    print_line(printable(service) + " is forgotten; it is found again when it runs");
  return kDone;
}

}  // namespace

CommandSpec forget_command() {
  auto service = std::make_shared<std::string>();
  return {.name = "forget",
          .summary = "no longer warn of a server that was found before and is gone",
          .options = {{"SERVICE", service.get(), "as check names it: nginx:/etc/nginx/nginx.conf",
                       "TEXT", Need::required}},
          .footer =
              "Exit code 1 if it is running, 2 if nothing is remembered of it.\n"
              "Example:\n  certrebind forget nginx:/etc/nginx/nginx.conf",
          .run = [service](Context& context) { return forget(context, *service); },
          .takes_services = false};
}

}  // namespace certrebind
