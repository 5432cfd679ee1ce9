#include "daemon/task_match.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "daemon/task_variables.h"

namespace certrebind {

namespace {

using DetailsJson = nlohmann::json;

constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const DetailsJson& member(const DetailsJson& json, const char* name) {
  static const DetailsJson kNothing = DetailsJson::object();
  auto found = json.is_object() ? json.find(name) : json.end();
  return json.is_object() && found != json.end() ? *found : kNothing;
}

std::string text_at(const DetailsJson& json, const char* name) {
  const DetailsJson& value = member(json, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::vector<std::string> texts_at(const DetailsJson& json, const char* name) {
  std::vector<std::string> texts;
  const DetailsJson& value = member(json, name);
  if (!value.is_array()) return texts;
  for (const DetailsJson& entry : value)
    if (entry.is_string()) texts.push_back(entry.get<std::string>());
  return texts;
}

// The certificate that the event is about: the new one if the event has two.
const DetailsJson& subject_of(const DetailsJson& details) {
  for (const char* name : {"new", "certificate", "old"})
    if (member(details, name).is_object() && !member(details, name).empty())
      return member(details, name);
  return details;
}

bool is_of_a_task(int id) {
  return id == static_cast<int>(EventId::task_done) || id == static_cast<int>(EventId::task_failed);
}

std::string_view without_dot(std::string_view name) {
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

std::string shown_number(int64_t number) {
  return number == 0 ? "" : std::to_string(number);
}

// Letters, digits, dots, dashes, underscores, and the star of a wildcard; none begins with a dash.
// A certificate may hold anything, and programs take these names apart at blanks.
bool is_host_name(std::string_view name) {
  return !name.empty() && name.front() != '-' && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view(".-_*:").find(char(c)) != std::string_view::npos;
  });
}

std::string names_of(const EventFacts& facts) {
  std::vector<std::string> names;
  for (const std::string& name : facts.names)
    if (is_host_name(name)) names.push_back(name);
  return join(names, " ");
}

std::string value_of(const std::string& variable, const Task& task, const EventFacts& facts) {
  const std::map<std::string, std::string> values = {
      {"OldCertHash", facts.old_thumbprint},
      {"NewCertHash", facts.new_thumbprint},
      {"OldCertSha1", facts.old_sha1},
      {"NewCertSha1", facts.new_sha1},
      {"EventRecordId", shown_number(facts.record)},
      {"EventId", shown_number(facts.id)},
      {"Names", names_of(facts)},
      {"Path", facts.path},
      {"Lineage", facts.lineage},
      {"Service", facts.service},
      {"TaskName", task.name},
  };
  return values.at(variable);
}

std::map<std::string, std::string> environment_of(const EventFacts& facts, const Settings& settings,
                                                  const std::string& home) {
  return {{"PATH", kPath},
          {"HOME", home},
          {"LANG", "C.UTF-8"},
          {"RENEWED_LINEAGE", facts.lineage},
          {"RENEWED_DOMAINS", names_of(facts)},
          {"CERTREBIND_EVENT_ID", shown_number(facts.id)},
          {"CERTREBIND_EVENT_RECORD", shown_number(facts.record)},
          {"CERTREBIND_OLD", facts.old_thumbprint},
          {"CERTREBIND_NEW", facts.new_thumbprint},
          {"CERTREBIND_PATH", facts.path},
          // A certrebind started by the task must use the same state directory.
          {"CERTREBIND_CONFIG", settings.config_file},
          {"CERTREBIND_STATE", settings.state_directory},
          {"CERTREBIND_RUN", settings.run_directory}};
}

}  // namespace

EventFacts facts_of(const Event& event) {
  DetailsJson details = DetailsJson::parse(event.details, nullptr, false);
  const DetailsJson& subject = subject_of(details);
  EventFacts facts;
  facts.record = event.record;
  facts.id = static_cast<int>(event.id);
  facts.service = event.service;
  facts.old_thumbprint = event.old_thumbprint;
  facts.new_thumbprint = event.new_thumbprint;
  facts.old_sha1 = text_at(member(details, "old"), "sha1");
  facts.new_sha1 = text_at(member(details, "new"), "sha1");
  facts.names = texts_at(subject, "names");
  if (facts.names.empty()) facts.names = event.names;
  facts.issuer = text_at(subject, "issuer");
  facts.path = text_at(subject, "path");
  if (facts.path.empty()) facts.path = text_at(details, "path");
  facts.lineage = text_at(details, "lineage");
  if (facts.lineage.empty() && !facts.path.empty()) facts.lineage = parent_directory(facts.path);
  facts.task = text_at(details, "task");
  const DetailsJson& trigger = member(details, "trigger");
  facts.trigger = trigger.is_number_integer() ? trigger.get<int>() : 0;
  facts.for_task = text_at(details, "for_task");
  return facts;
}

bool name_fits(std::string_view pattern, std::string_view name) {
  return fits(to_lower(without_dot(pattern)), to_lower(without_dot(name)));
}

bool is_of_interest(const Task& task, const EventFacts& facts) {
  const TaskFilter& filter = task.filter;
  auto has_a_name_for = [&](const std::string& pattern) {
    return std::ranges::any_of(facts.names,
                               [&](const std::string& name) { return name_fits(pattern, name); });
  };
  if (!task.events.contains(facts.id)) return false;
  if (!filter.names.empty() && std::ranges::none_of(filter.names, has_a_name_for)) return false;
  if (!filter.store.empty() && !is_within(normalized(facts.path), filter.store)) return false;
  if (to_lower(facts.issuer).find(to_lower(filter.issuer)) == std::string::npos) return false;
  return filter.service.empty() || filter.service == facts.service;
}

bool triggers(const Task& task, const EventFacts& facts) {
  if (!task.enabled || !facts.for_task.empty()) return false;
  if (is_of_a_task(facts.id) && (facts.task == task.name || is_of_a_task(facts.trigger)))
    return false;
  return is_of_interest(task, facts);
}

Command command_for(const Task& task, const EventFacts& facts, const Settings& settings,
                    const std::string& home) {
  auto filled = [&](const std::string& text) {
    return substitute(text, [&](const std::string& name) { return value_of(name, task, facts); });
  };
  Command command;
  for (const std::string& argument : task.command) command.arguments.push_back(filled(argument));
  auto variables = environment_of(facts, settings, home);
  for (const auto& [name, value] : task.environment) variables[name] = filled(value);
  command.environment.emplace();
  for (const auto& [name, value] : variables) command.environment->push_back(name + "=" + value);
  return command;
}

}  // namespace certrebind
