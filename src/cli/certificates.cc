#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "acts/inventory.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/renewer_output.h"

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

void print_table(const std::vector<InventoryItem>& items, WallTime now) {
  Table table({"THUMBPRINT", "ISSUED TO", "ISSUED BY", "EXPIRES", "KEY", "BINDINGS", "RENEWED BY",
               "NEXT DUE", "PATH"});
  for (const InventoryItem& item : items)
    table.add({item.certificate.thumbprint.brief(), printable(item.certificate.subject),
               printable(item.certificate.issuer), expiry_text(item.certificate.not_after, now),
               item.key_path.empty() ? "no" : "yes", std::to_string(item.bindings.size()),
               renewer_text(item.renewer), due_text(item.renewer, now), printable(item.path)});
  print(table.text());
}

int certificates(Context& context) {
  Host host = context.host();
  auto surveyed = survey(host, context.only());
  if (!surveyed) return report(surveyed.error());
  context.remember(*surveyed);
  std::vector<InventoryItem> items = take_inventory(host.files, context.settings(), *surveyed);
  WallTime now = host.clock.wall();
  if (context.json()) {
    Json all = Json::array();
    for (const InventoryItem& item : items) all.push_back(to_json(item, now));
    print_json(all);
  } else if (items.empty()) {
    print_line("no certificate was found in the stores or in bound files");
  } else {
    print_table(items, now);
  }
  print_diagnostics(surveyed->diagnostics);
  return kDone;
}

}  // namespace

CommandSpec certificates_command() {
  return {.name = "certificates",
          .summary = "what lies in the stores and in bound files, soonest expiry first",
          .footer = "Example:\n  certrebind certificates --json",
          .run = certificates};
}

}  // namespace certrebind
