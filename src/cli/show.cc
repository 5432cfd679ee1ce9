#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "acts/inventory.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/renewer_output.h"
#include "survey/identify.h"
#include "sys/local_time.h"
#include "x509/bundle.h"

namespace certrebind {

namespace {

// A certificate that matches the argument, with its chain if the file contains it.
struct Shown {
  Bundle bundle;
  std::vector<const InventoryItem*> places;
};

// Several paths may hold the same certificate, and several certificates may match a name.
std::vector<Shown> find_all(const Files& files, const std::vector<InventoryItem>& items,
                            const std::string& typed) {
  std::vector<Shown> found;
  for (const InventoryItem& item : items) {
    if (!is_meant(item, typed)) continue;
    auto known = std::ranges::find_if(found, [&](const Shown& shown) {
      return shown.bundle.leaf.outline.thumbprint == item.certificate.thumbprint;
    });
    if (known == found.end()) {
      auto bundle = read_bundle(files, item.path);
      if (!bundle) continue;
      known = found.insert(found.end(), {std::move(*bundle), {}});
    }
    known->places.push_back(&item);
  }
  return found;
}

void print_certificate(const Shown& shown, WallTime now) {
  const Certificate& leaf = shown.bundle.leaf;
  const CertificateOutline& outline = leaf.outline;
  print_line(fmt::format("thumbprint   {}", outline.thumbprint.hex()));
  print_line(fmt::format("sha1         {}", sha1_thumbprint(leaf.der)));
  print_line(fmt::format("serial       {}", outline.serial));
  print_line(fmt::format("issued to    {}", printable(leaf.subject_line)));
  print_line(fmt::format("issued by    {}", printable(leaf.issuer_line)));
  print_line(fmt::format("names        {}", printable(join(outline.names, ", "))));
  print_line(fmt::format("valid from   {}", local_time_text(outline.not_before)));
  print_line(fmt::format("expires      {}", expiry_text(outline.not_after, now)));
  print_line(fmt::format("key          {}, {}", leaf.key_text(), leaf.signature_algorithm));
  if (!leaf.extended_key_usages.empty())
    print_line(fmt::format("usage        {}", join(leaf.extended_key_usages, ", ")));
  if (leaf.must_staple) print_line("must staple  yes");
  for (const Certificate& above : shown.bundle.chain)
    print_line(fmt::format("chain        {}  {}", above.outline.thumbprint.brief(),
                           printable(above.subject_line)));
  for (const InventoryItem* place : shown.places) {
    print_line(fmt::format("path         {}{}", printable(place->path),
                           place->store.empty() ? "" : " (" + place->store + ")"));
    print_line("  key        " +
               (place->key_path.empty() ? "not at hand" : printable(place->key_path)));
    print_renewer(place->renewer, now, place->store);
    for (const SurveyedBinding* bound : place->bindings)
      print_line(fmt::format("  binding    {}  {}  {}", printable(bound->binding.site),
                             endpoints_text(bound->binding),
                             printable(bound->binding.certificate.where.text())));
  }
}

Json to_json(const Shown& shown, WallTime now) {
  const Certificate& leaf = shown.bundle.leaf;
  Json json = to_json(leaf.outline, leaf.der, now);
  json["subject"] = printable(leaf.subject_line);
  json["issuer"] = printable(leaf.issuer_line);
  json["key"] = leaf.key_text();
  json["signature_algorithm"] = leaf.signature_algorithm;
  json["extended_key_usages"] = leaf.extended_key_usages;
  json["must_staple"] = leaf.must_staple;
  json["chain"] = Json::array();
  for (const Certificate& above : shown.bundle.chain)
    json["chain"].push_back(to_json(above.outline, above.der, now));
  json["places"] = Json::array();
  for (const InventoryItem* place : shown.places) {
    Json bindings = Json::array();
    for (const SurveyedBinding* bound : place->bindings) {
      bindings.push_back(to_json(bound->binding));
      bindings.back()["service"] = bound->service->id().text();
    }
    json["places"].push_back({{"path", printable(place->path)},
                              {"key_path", printable(place->key_path)},
                              {"store", place->store},
                              {"renewer", to_json(place->renewer)},
                              {"bindings", std::move(bindings)}});
  }
  return json;
}

int show(Context& context, const std::string& typed) {
  Host host = context.host();
  auto surveyed = survey(host, context.only());
  if (!surveyed) return report(surveyed.error());
  std::vector<InventoryItem> items = take_inventory(host.files, context.settings(), *surveyed);
  std::string wanted = typed.find('/') == std::string::npos ? typed : absolute(typed);
  bool is_listed =
      std::ranges::any_of(items, [&](const InventoryItem& item) { return item.path == wanted; });
  std::vector<Shown> found = find_all(host.files, items, wanted);
  if (found.empty() && !is_listed && host.files.stat(absolute(typed))) {
    auto bundle = read_bundle(host.files, absolute(typed));
    if (!bundle) return report(bundle.error());
    found.push_back({std::move(*bundle), {}});
  }
  if (found.empty())
    return report_lookup(context,
                         {Code::not_found, "find the certificate", printable(typed),
                          "no stored or bound certificate has this thumbprint, path or name",
                          "certrebind certificates"});
  WallTime now = host.clock.wall();
  Json all = Json::array();
  for (const Shown& shown : found) {
    if (context.json()) {
      all.push_back(to_json(shown, now));
      continue;
    }
    if (&shown != &found.front()) print_line("");
    print_certificate(shown, now);
  }
  if (context.json()) print_json({{"certificates", std::move(all)}});
  return kDone;
}

}  // namespace

CommandSpec show_command() {
  auto typed = std::make_shared<std::string>();
  return {.name = "show",
          .summary = "one certificate, with its chain and bindings",
          .options = {{"certificate", typed.get(),
                       "a thumbprint (or a prefix of one), a path, or a name",
                       "THUMBPRINT|PATH|NAME", Need::required}},
          .footer = "Example:\n  certrebind show www.example.com",
          .run = [typed](Context& context) { return show(context, *typed); },
          .pages = true};
}

}  // namespace certrebind
