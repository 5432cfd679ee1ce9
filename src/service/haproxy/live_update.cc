#include "service/haproxy/live_update.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "base/text.h"
#include "service/haproxy/candidates.h"
#include "service/haproxy/listeners.h"
#include "x509/pem.h"
#include "x509/thumbprint.h"

namespace certrebind::haproxy {

namespace {

// The part of the buffer that HAProxy reserves, and our own command line, with a margin.
constexpr size_t kBufferReserve = 1024;

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

// As ASN1_TIME_print of OpenSSL writes it: "Feb  7 09:00:00 2027 GMT".
std::string asn1_time_text(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format(
      "{} {:2} {:02}:{:02}:{:02} {} GMT", kMonths[static_cast<unsigned>(date.month()) - 1],
      static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
      clock.seconds().count(), static_cast<int>(date.year()));
}

// Appends a block's lines without empty ones, which would end the payload.
void append_block(const PemBlock& block, std::string& text) {
  for (const std::string& line : split(block.whole, '\n')) {
    std::string_view kept = trim(line);
    if (!kept.empty()) text.append(kept).append("\n");
  }
}

std::string base64(std::string_view bytes) {
  // pem_encode_certificate writes base64 between two boundary lines.
  std::string pem = pem_encode_certificate(bytes);
  size_t begin = pem.find('\n') + 1;
  std::string text = pem.substr(begin, pem.rfind("-----END") - begin);
  std::erase(text, '\n');
  return text + "\n";
}

void add_identity(const std::string& der, LiveCertificate& certificate) {
  certificate.sha1 = upper(sha1_thumbprint(der));
  if (auto outline = outline_of(der)) certificate.serial_and_dates = serial_and_dates(*outline);
}

// What HAProxy calls such a file at its socket, after the certificate's name: whatever the file's
// own name is.
const char* extension_of(Companion::Kind kind) {
  switch (kind) {
    case Companion::Kind::ocsp_response:
      return ".ocsp";
    case Companion::Kind::issuer:
      return ".issuer";
    case Companion::Kind::timestamps:
      return ".sctl";
  }
  return "";
}

class HaproxyLiveUpdate final : public LiveUpdate {
 public:
  HaproxyLiveUpdate(Address address, std::vector<Pem> pems, size_t buffer_size, const Files& files)
      : address_(std::move(address)),
        pems_(std::move(pems)),
        buffer_size_(buffer_size),
        files_(files) {}

  Address address() const override { return address_; }

  std::unique_ptr<SocketConversation> question() const override {
    std::vector<std::string> names;
    for (const Pem& pem : pems_) names.push_back(pem.name);
    return ask_about(std::move(names));
  }

  Result<std::unique_ptr<SocketConversation>> update(bool resumed) const override {
    std::vector<LiveCertificate> certificates;
    for (const Pem& pem : pems_) {
      auto certificate = read(pem);
      if (!certificate) return pass(certificate);
      certificates.push_back(std::move(*certificate));
    }
    return set_and_commit(std::move(certificates), resumed);
  }

 private:
  Result<LiveCertificate> read(const Pem& pem) const;
  Done add_companion(const Companion& companion, LiveCertificate& into) const;
  Done check_size(const std::string& subject, const std::string& payload) const;

  Address address_;
  std::vector<Pem> pems_;
  size_t buffer_size_;
  const Files& files_;
};

Done HaproxyLiveUpdate::check_size(const std::string& subject, const std::string& payload) const {
  if (payload.size() + subject.size() + kBufferReserve <= buffer_size_) return {};
  return fail(Code::failed, "send to HAProxy's control socket", subject,
              "it is larger than HAProxy's buffer (tune.bufsize) takes");
}

Result<LiveCertificate> HaproxyLiveUpdate::read(const Pem& pem) const {
  auto text = files_.read(pem.certificate, kPemLimit);
  if (!text) return pass(text);
  std::string all = std::move(*text);
  if (pem.key != pem.certificate) {
    auto key = files_.read(pem.key, kPemLimit);
    if (!key) return pass(key);
    all += "\n" + *key;
  }
  LiveCertificate certificate;
  certificate.name = pem.name;
  for (const PemBlock& block : pem_blocks(all)) {
    if (block.is_encrypted())
      return fail(Code::failed, "send to HAProxy's control socket", pem.name,
                  "its key is encrypted");
    if (block.is_certificate() && certificate.sha1.empty())
      if (auto der = pem_decode(block)) add_identity(*der, certificate);
    append_block(block, certificate.payload);
  }
  if (certificate.sha1.empty())
    return fail(Code::failed, "send to HAProxy's control socket", pem.name,
                "it holds no certificate");
  if (Done fits = check_size(pem.name, certificate.payload); !fits) return pass(fits);
  for (const Companion& companion : pem.companions)
    if (Done added = add_companion(companion, certificate); !added) return pass(added);
  return certificate;
}

Done HaproxyLiveUpdate::add_companion(const Companion& companion, LiveCertificate& into) const {
  auto bytes = files_.read(companion.path, kPemLimit);
  if (!bytes) return pass(bytes);
  if (bytes->empty()) return {};
  std::string payload;
  if (companion.kind == Companion::Kind::issuer) {
    for (const PemBlock& block : pem_blocks(*bytes)) append_block(block, payload);
  } else {
    payload = base64(*bytes);
  }
  into.companions.emplace_back(extension_of(companion.kind), std::move(payload));
  return check_size(companion.path, into.companions.back().second);
}

// Every certificate once, by HAProxy's name.
std::map<std::string, const Pem*> pems_of(const Listeners& listeners) {
  std::map<std::string, const Pem*> pems;
  for (const Listener& listener : listeners.all)
    for (const Use& use : listener.uses) pems.try_emplace(use.pem.name, &use.pem);
  for (const ClientUse& client : listeners.clients)
    pems.try_emplace(client.use.pem.name, &client.use.pem);
  return pems;
}

bool can_be_said(const std::string& name) {
  return std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

}  // namespace

// HAProxy prints the magnitude of the number.
std::string serial_and_dates(const CertificateOutline& leaf) {
  std::string_view serial = leaf.serial;
  if (serial.starts_with('-')) serial.remove_prefix(1);
  return fmt::format("Serial: {}\nnotBefore: {}\nnotAfter: {}\n", upper(std::string(serial)),
                     asn1_time_text(leaf.not_before), asn1_time_text(leaf.not_after));
}

std::unique_ptr<LoadedView> loaded_view(const Started& started, Root& root) {
  auto config = read_config(started, root);
  if (!config) return nullptr;
  Globals globals = read_globals(*config, root);
  if (globals.admin_sockets.empty()) return nullptr;
  Listeners listeners = find_listeners(*config, globals, started, root);
  std::set<std::string> seen;
  for (const auto& [name, pem] : pems_of(listeners)) seen.insert(name);
  return ask_what_is_loaded(globals.admin_sockets.front(), std::move(seen));
}

std::unique_ptr<LiveUpdate> live_update(const Started& started, Root& root,
                                        const std::vector<std::string>& files) {
  auto config = read_config(started, root);
  if (!config) return nullptr;
  Globals globals = read_globals(*config, root);
  if (globals.admin_sockets.empty() || files.empty()) return nullptr;
  Listeners listeners = find_listeners(*config, globals, started, root);
  std::set<std::string> wanted(files.begin(), files.end()), found;
  std::vector<Pem> pems;
  for (const auto& [name, pem] : pems_of(listeners)) {
    bool changes = false;
    auto look = [&](const std::string& path) {
      auto real = root.files().real_path(path);
      if (!real || !wanted.contains(*real)) return;
      found.insert(*real);
      changes = true;
    };
    look(pem->certificate);
    if (pem->key != pem->certificate) look(pem->key);
    for (const Companion& companion : pem->companions) look(companion.path);
    if (changes && !can_be_said(name)) return nullptr;
    if (changes) pems.push_back(*pem);
  }
  if (found != wanted) return nullptr;
  std::set<std::string> names;
  for (const Pem& pem : pems) names.insert(pem.name);
  if (would_lose_their_place(listeners, look_at_all(listeners, root.files()), names))
    return nullptr;
  return std::make_unique<HaproxyLiveUpdate>(globals.admin_sockets.front(), std::move(pems),
                                             globals.buffer_size, root.files());
}

}  // namespace certrebind::haproxy
