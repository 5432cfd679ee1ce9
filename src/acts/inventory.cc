#include "acts/inventory.h"

#include <algorithm>

#include "store/stores.h"
#include "sys/guard.h"
#include "x509/key.h"
#include "x509/name_match.h"

namespace certrebind {

namespace {

std::string store_kind(const Files& files, const Settings& settings, const std::string& path) {
  auto store = store_of(files, settings.stores, path);
  return store ? store->kind : "";
}

}  // namespace

std::vector<InventoryItem> take_inventory(const Files& files, const Settings& settings,
                                          const Survey& survey) {
  std::map<std::string, InventoryItem> by_path;
  for (const SurveyedBinding& bound : survey.bindings) {
    if (!bound.disk || !bound.disk->certificate) continue;
    const std::string& path = bound.binding.certificate.path;
    auto [entry, is_new] = by_path.try_emplace(path);
    InventoryItem& item = entry->second;
    item.bindings.push_back(&bound);
    if (!is_new) continue;
    item.certificate = *bound.disk->certificate;
    item.der = bound.disk->der;
    item.path = path;
    item.store = store_kind(files, settings, path);
    if (PairOnDisk(bound).key() == KeyState::matches) item.key_path = bound.binding.key.path;
  }
  for (const StoredCertificate& stored : stored_certificates(files, settings.stores)) {
    if (by_path.contains(stored.certificate_path)) continue;
    OnDisk disk = look_at(files, stored.certificate_path);
    if (!disk.certificate) continue;
    auto key = files.read(stored.key_path, kPemLimit);
    const bool has_key = key && key_state(*key, disk.der) == KeyState::matches;
    by_path[stored.certificate_path] = {.certificate = std::move(*disk.certificate),
                                        .der = std::move(disk.der),
                                        .path = stored.certificate_path,
                                        .key_path = has_key ? stored.key_path : "",
                                        .store = stored.store.kind,
                                        .bindings = {},
                                        .renewer = {}};
  }
  Renewers renewers(files, settings.stores, own_user());
  std::vector<InventoryItem> items;
  for (auto& [path, item] : by_path) {
    item.renewer = renewers.owner_of(path);
    items.push_back(std::move(item));
  }
  std::ranges::stable_sort(items, {},
                           [](const InventoryItem& item) { return item.certificate.not_after; });
  return items;
}

bool is_meant(const InventoryItem& item, const std::string& typed) {
  if (auto thumbprint = TypedThumbprint::parse(typed))
    if (thumbprint->matches(item.certificate.thumbprint, item.der)) return true;
  return item.path == typed || covers(item.certificate.names, typed);
}

}  // namespace certrebind
