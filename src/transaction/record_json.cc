#include "transaction/record_json.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace certrebind {

namespace {

using nlohmann::json;

std::string narrow(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80 || i + 1 == text.size()) {
      bytes += text[i];
    } else {
      auto next = static_cast<unsigned char>(text[++i]);
      bytes += static_cast<char>(((byte & 0x03) << 6) | (next & 0x3F));
    }
  }
  return bytes;
}

// What is as in most of them is left out: a server may have thousands of sites.
json to_json(const Expectation& e) {
  json j = {{"host", e.address.host}, {"port", e.address.port}, {"sni", widen(e.sni)}};
  auto put = [&](const char* name, const auto& value, const auto& usual) {
    if (value != usual) j[name] = value;
  };
  const std::string none = Thumbprint().hex();
  put("unix", widen(e.address.unix_path), std::string());
  put("network_of", e.address.network_of, 0);
  put("proxy", e.proxy_protocol, false);
  put("start_tls", to_text(e.start_tls), to_text(StartTls::none));
  put("site", widen(e.site), widen(e.sni));
  put("old", e.old_thumbprint.hex(), none);
  put("new", e.new_thumbprint.hex(), none);
  put("old_type", static_cast<int>(e.old_type), static_cast<int>(KeyType::other));
  put("new_type", static_cast<int>(e.new_type), static_cast<int>(KeyType::other));
  put("answered", e.answered, true);
  if (e.in_memory) j["in_memory"] = e.in_memory->hex();
  for (const Thumbprint& above : e.new_above) j["above"].push_back(above.hex());
  return j;
}

Thumbprint thumbprint_from(const json& j, const char* name) {
  return j.contains(name) ? Thumbprint::from_hex(j.at(name).get<std::string>()).value()
                          : Thumbprint();
}

Expectation expectation_from(const json& j) {
  auto key_type = [&](const char* name) {
    return static_cast<KeyType>(j.value(name, static_cast<int>(KeyType::other)));
  };
  Expectation expected = {.address = {.host = j.at("host"),
                                      .port = j.at("port"),
                                      .unix_path = narrow(j.value("unix", "")),
                                      .network_of = j.value("network_of", 0)},
                          .proxy_protocol = j.value("proxy", false),
                          .start_tls = start_tls_named(j.value("start_tls", "none")).value(),
                          .sni = narrow(j.at("sni")),
                          .site = narrow(j.value("site", j.at("sni").get<std::string>())),
                          .old_thumbprint = thumbprint_from(j, "old"),
                          .new_thumbprint = thumbprint_from(j, "new"),
                          .old_type = key_type("old_type"),
                          .new_type = key_type("new_type"),
                          .answered = j.value("answered", true)};
  for (const json& above : j.value("above", json::array()))
    expected.new_above.push_back(Thumbprint::from_hex(above.get<std::string>()).value());
  if (j.contains("in_memory")) expected.in_memory = thumbprint_from(j, "in_memory");
  return expected;
}

json to_json(const JournalFile& file) {
  json j = {{"path", widen(file.path)},
            {"before", file.before_digest},
            {"after", file.after_digest},
            {"staging", widen(file.staging)}};
  if (file.was_absent) j["absent"] = true;
  if (file.mode) j["mode"] = {file.mode->before, file.mode->after};
  return j;
}

JournalFile file_from(const json& j) {
  JournalFile file{.path = narrow(j.at("path")),
                   .before_digest = j.at("before"),
                   .after_digest = j.at("after"),
                   .staging = narrow(j.at("staging")),
                   .was_absent = j.value("absent", false)};
  if (j.contains("mode")) file.mode = {j.at("mode").at(0), j.at("mode").at(1)};
  return file;
}

}  // namespace

std::string widen(const std::string& bytes) {
  std::string text;
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | (byte >> 6));
      text += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return text;
}

std::string record_to_json(const JournalRecord& record) {
  json files = json::array(), successions = json::array(), expectations = json::array();
  for (const JournalFile& file : record.files) files.push_back(to_json(file));
  for (const JournalSuccession& succession : record.successions) {
    json sites = json::array();
    for (const std::string& site : succession.sites) sites.push_back(widen(site));
    successions.push_back({{"old", succession.old_thumbprint},
                           {"new", succession.new_thumbprint},
                           {"sites", std::move(sites)}});
  }
  for (const Expectation& expectation : record.expectations)
    expectations.push_back(to_json(expectation));
  json loads = json::array();
  for (const std::string& path : record.loads) loads.push_back(widen(path));
  json others = json::array();
  for (const Expectation& other : record.others) others.push_back(to_json(other));
  return json{{"token", record.token},
              {"files", std::move(files)},
              {"successions", std::move(successions)},
              {"expectations", std::move(expectations)},
              {"loads", std::move(loads)},
              {"mends", record.mends},
              {"decided", record.decided},
              {"told", record.told},
              {"unit", record.unit},
              {"files_of", record.files_of},
              {"others", std::move(others)}}
      .dump();
}

JournalRecord record_from_json(const std::string& text) {
  json j = json::parse(text);
  JournalRecord record;
  record.token = j.at("token");
  for (const json& file : j.at("files")) record.files.push_back(file_from(file));
  for (const json& succession : j.at("successions")) {
    record.successions.push_back({.old_thumbprint = succession.at("old"),
                                  .new_thumbprint = succession.at("new"),
                                  .sites = {}});
    for (const json& site : succession.at("sites"))
      record.successions.back().sites.push_back(narrow(site));
  }
  for (const json& expectation : j.at("expectations"))
    record.expectations.push_back(expectation_from(expectation));
  for (const json& path : j.at("loads")) record.loads.push_back(narrow(path));
  for (const json& other : j.value("others", json::array()))
    record.others.push_back(expectation_from(other));
  record.mends = j.value("mends", false);
  record.decided = j.value("decided", false);
  record.files_of = j.value("files_of", 0U);
  record.told = j.value("told", true);
  record.unit = j.value("unit", "");
  return record;
}

}  // namespace certrebind
