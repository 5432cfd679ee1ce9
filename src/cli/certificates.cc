#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "acts/inventory.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/list_options.h"
#include "cli/output.h"
#include "cli/renewer_output.h"
#include "x509/name_match.h"

namespace certrebind {

namespace {

Json to_json(const InventoryItem& item, WallTime now) {
  Json json = to_json(item.certificate, item.der, now);
  json["path"] = printable(item.path);
  json["key_path"] = printable(item.key_path);
  json["key_at_hand"] = !item.key_path.empty();
  json["store"] = item.store;
  json["renewer"] = to_json(item.renewer);
  json["bindings"] = item.bindings.size();
  return json;
}

void print_table(const std::vector<InventoryItem>& items, size_t left_out, WallTime now) {
  Table table({"THUMBPRINT", "ISSUED TO", "ISSUED BY", "EXPIRES", "KEY", "BINDINGS", "RENEWED BY",
               "NEXT DUE", "PATH"});
  for (const InventoryItem& item : items)
    table.add({item.certificate.thumbprint.brief(), printable(item.certificate.subject),
               printable(item.certificate.issuer), expiry_text(item.certificate.not_after, now),
               item.key_path.empty() ? "no" : "yes", std::to_string(item.bindings.size()),
               renewer_text(item.renewer, item.store), due_text(item.renewer, now),
               printable(item.path)});
  print(table.text() + more_line(left_out, "certrebind certificates"));
}

bool is_of_site(const InventoryItem& item, const ListOptions& list) {
  return list.site.empty() || covers(item.certificate.names, list.site) ||
         std::ranges::any_of(item.bindings, [&](const SurveyedBinding* bound) {
           return list.wants(bound->binding);
         });
}

int certificates(Context& context, const ListOptions& list) {
  Host host = context.host();
  auto surveyed = survey(host, context.only());
  if (!surveyed) return report(surveyed.error());
  context.remember(*surveyed);
  std::vector<InventoryItem> items = take_inventory(host.files, context.settings(), *surveyed);
  WallTime now = host.clock.wall();
  const bool none = items.empty();
  std::erase_if(items, [&](const InventoryItem& item) {
    return !is_of_site(item, list) || !list.wants(item.certificate.not_after, now);
  });
  const size_t left_out = items.size() - list.shown_of(items.size());
  items.erase(items.end() - static_cast<ptrdiff_t>(left_out), items.end());
  if (context.json()) {
    Json all = Json::array();
    for (const InventoryItem& item : items) all.push_back(to_json(item, now));
    print_json({{"certificates", std::move(all)},
                {"left_out", left_out},
                {"diagnostics", to_json(surveyed->diagnostics)}});
  } else if (items.empty()) {
    print_line(none ? "no certificate was found in the stores or in bound files"
                    : "no certificate fits");
  } else {
    print_table(items, left_out, now);
  }
  print_diagnostics(surveyed->diagnostics);
  return kDone;
}

}  // namespace

CommandSpec certificates_command() {
  auto list = std::make_shared<ListOptions>();
  return {.name = "certificates",
          .summary = "what lies in the stores and in bound files, soonest expiry first",
          .options = {site_option(*list), expiring_option(*list), limit_option(*list)},
          .footer = "Example:\n  certrebind certificates --expiring 14",
          .run = [list](Context& context) { return certificates(context, *list); },
          .pages = true};
}

}  // namespace certrebind
