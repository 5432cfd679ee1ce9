#include "acts/notice.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "state/key_value.h"
#include "sys/local_time.h"

namespace certrebind {

namespace {

using Json = nlohmann::json;

constexpr const char* kTold = "notify.told";  // JSON: sentence to milliseconds since the epoch

int64_t milliseconds_of(WallTime time) {
  return time.time_since_epoch().count();
}

Json told_before(Database& database) {
  Json told = Json::parse(stored_value(database, kTold).value_or("{}"), nullptr, false);
  return told.is_object() ? told : Json::object();
}

// Nothing that a server or a certificate says may add a header or a line, nor make a line that a
// mail server refuses (RFC 5322 section 2.1.1: 998 bytes).
std::string one_line(const std::string& text) {
  constexpr size_t kLongest = 900;
  std::string line = printable(text);
  return line.size() <= kLongest ? line : line.substr(0, kLongest) + " ...";
}

std::string subject_of(const std::string& host, const std::vector<Attention>& told) {
  return told.size() == 1 ? fmt::format("[certrebind {}] {}", host,
                                        one_line(told.front().sentence).substr(0, 150))
                          : fmt::format("[certrebind {}] {} need a person", host,
                                        count_of(told.size(), "thing"));
}

}  // namespace

Result<std::vector<Attention>> untold(Database& database, std::vector<Attention> needed,
                                      WallTime now) {
  return database.guarded("read what was told", [&] {
    const Json told = told_before(database);
    const int64_t since =
        milliseconds_of(now) - std::chrono::duration_cast<milliseconds>(kReminder).count();
    std::erase_if(needed, [&](const Attention& each) {
      auto at = told.find(each.sentence);
      return at != told.end() && at->is_number_integer() && at->get<int64_t>() > since;
    });
    return needed;
  });
}

Done note_told(Database& database, const std::vector<Attention>& needed,
               const std::vector<Attention>& told, bool is_partial, WallTime now) {
  return database.atomically("note what was told", [&] {
    const Json before = told_before(database);
    Json after = is_partial ? before : Json::object();
    for (const Attention& each : needed)
      if (auto at = before.find(each.sentence); at != before.end()) after[each.sentence] = *at;
    for (const Attention& each : told) after[each.sentence] = milliseconds_of(now);
    store_value(database, kTold, after.dump(-1, ' ', true, Json::error_handler_t::replace));
  });
}

std::string mail_text(const std::string& to, const std::string& host,
                      const std::vector<Attention>& told) {
  std::string text = fmt::format(
      "To: {}\nSubject: {}\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n"
      "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
      "On {}, certrebind needs a person:\n",
      to, subject_of(host, told), host);
  for (const Attention& each : told)
    text += fmt::format("\n- {}\n  since {}\n  next: {}\n", one_line(each.sentence),
                        local_time_text(each.since), one_line(each.next));
  return text + "\nWhat is still open is sent again after a day. All of it: certrebind status\n";
}

std::string cloud_event(const std::string& id, const std::string& host,
                        const std::vector<Attention>& told, WallTime now) {
  Json items = Json::array();
  for (const Attention& each : told)
    items.push_back({{"sentence", one_line(each.sentence)},
                     {"next", one_line(each.next)},
                     {"since", to_rfc3339(each.since)}});
  return Json{
      {"specversion", "1.0"},
      {"id", id},
      {"source", "/certrebind/" + host},
      {"type", "org.certrebind.attention"},
      {"time", to_rfc3339(now)},
      {"datacontenttype", "application/json"},
      {"data", {{"host", host}, {"summary", subject_of(host, told)}, {"items", std::move(items)}}}}
      .dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace certrebind
