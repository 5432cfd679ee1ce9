#include "survey/lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/number.h"
#include "base/text.h"

namespace certrebind {

namespace {

std::string any_name(const Endpoint& endpoint) {
  return endpoint.without_sni || endpoint.probe_names.empty() ? "" : endpoint.probe_names.front();
}

void add_all_endpoints(const SurveyedBinding& bound, const std::string& why,
                       std::vector<LookupResult>& answers) {
  if (bound.binding.endpoints.empty()) answers.push_back({&bound, nullptr, "", why});
  for (const Endpoint& endpoint : bound.binding.endpoints)
    answers.push_back({&bound, &endpoint, any_name(endpoint), why});
}

// ---- by path

bool is_same_file(const Files& files, const std::string& real, const std::string& path) {
  if (path.empty()) return false;
  if (path == real) return true;
  auto other = files.real_path(path);
  return other && *other == real;
}

std::vector<LookupResult> users_of(const Files& files, const Survey& survey,
                                   const std::string& path) {
  std::vector<LookupResult> answers;
  std::string real = files.real_path(path).value_or(path);
  for (const SurveyedBinding& bound : survey.bindings) {
    const Binding& binding = bound.binding;
    std::string why;
    if (is_same_file(files, real, binding.certificate.path)) {
      why = "this is its certificate";
    } else if (is_same_file(files, real, binding.key.path)) {
      why = "this is its key";
    } else if (binding.certificate.where.file == real) {
      why = "this file configures it";
    }
    if (why.empty()) continue;
    add_all_endpoints(bound, why, answers);
  }
  return answers;
}

// ---- by certificate

// Hexadecimal digits, at least eight: "cafe" is a host name.
std::vector<LookupResult> holders_of(const Survey& survey, const TypedThumbprint& thumbprint) {
  std::vector<LookupResult> answers;
  for (const SurveyedBinding& bound : survey.bindings) {
    if (!bound.disk || !bound.disk->certificate ||
        !thumbprint.matches(bound.disk->certificate->thumbprint, bound.disk->der))
      continue;
    add_all_endpoints(bound, "this certificate is on disk there", answers);
  }
  return answers;
}

// ---- by listener

struct Listener {
  std::string host;  // empty: any address
  uint16_t port = 0;
};

std::optional<Listener> as_listener(std::string_view typed) {
  size_t colon = typed.rfind(':');
  std::string_view digits = colon == std::string_view::npos ? typed : typed.substr(colon + 1);
  const auto port = whole_number<uint16_t>(digits);
  if (!port || *port == 0) return std::nullopt;
  Listener listener{.host = "", .port = *port};
  std::string_view host = colon == std::string_view::npos ? "" : typed.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host != "*") listener.host = host;
  return listener;
}

bool is_wildcard(const Endpoint& endpoint) {
  return endpoint.listens.starts_with('*') || endpoint.listens.starts_with("[::]");
}

std::vector<LookupResult> answers_at(const Survey& survey, const std::string& typed) {
  std::vector<LookupResult> exact, wild;
  auto listener = as_listener(typed);
  for (const SurveyedBinding& bound : survey.bindings)
    for (const Endpoint& endpoint : bound.binding.endpoints) {
      LookupResult answer{&bound, &endpoint, any_name(endpoint), "it listens there"};
      bool same_port = listener && endpoint.address.port == listener->port;
      if (endpoint.listens == typed || endpoint.address.text() == typed ||
          (same_port && (listener->host.empty() || endpoint.address.host == listener->host))) {
        exact.push_back(std::move(answer));
      } else if (same_port && is_wildcard(endpoint)) {
        wild.push_back(std::move(answer));
      }
    }
  return exact.empty() ? wild : exact;
}

// ---- by name

// How well a site matches a name on one listener; higher is better.
struct Fit {
  size_t rank = 0;  // 0: no match; 1: default; else the wildcard's length; kNamed: has the name
  std::string why;
};

constexpr size_t kNamed = std::string::npos;

Fit fit_of(const Binding& binding, const Endpoint& endpoint, const std::string& name) {
  if (std::ranges::find(endpoint.probe_names, name) != endpoint.probe_names.end() ||
      std::ranges::find(binding.names, name) != binding.names.end())
    return {kNamed, "named there"};
  Fit best;
  for (const std::string& pattern : binding.names)
    if (pattern.starts_with("*.") && name.ends_with(pattern.substr(1)) &&
        name.size() >= pattern.size() && pattern.size() > best.rank)
      best = {pattern.size(), pattern + " covers it"};
  if (best.rank == 0 && endpoint.without_sni)
    best = {1, "the default there: no site has this name"};
  return best;
}

std::vector<LookupResult> answers_for(const Survey& survey, const std::string& name) {
  struct Best {
    size_t rank = 0;
    std::vector<LookupResult> answers;
    std::vector<std::string> patterns;  // patterns that cannot be matched without the server
  };
  std::map<std::pair<const Service*, std::string>, Best> listeners;
  for (const SurveyedBinding& bound : survey.bindings)
    for (const Endpoint& endpoint : bound.binding.endpoints) {
      Best& best = listeners[{bound.service, endpoint.listens}];
      const auto& unprobed = bound.binding.unprobed_names;
      best.patterns.insert(best.patterns.end(), unprobed.begin(), unprobed.end());
      Fit fit = fit_of(bound.binding, endpoint, name);
      if (fit.rank == 0 || fit.rank < best.rank) continue;
      if (fit.rank > best.rank) best.answers.clear();
      best.rank = fit.rank;
      best.answers.push_back({&bound, &endpoint, name, fit.why, fit.rank == 1});
    }
  bool named =
      std::ranges::any_of(listeners, [](const auto& each) { return each.second.rank > 1; });
  std::vector<LookupResult> answers;
  for (auto& [listener, best] : listeners) {
    // If some listener has a site for the name, the defaults of the other listeners are left out.
    if (named && best.rank == 1) continue;
    for (LookupResult& answer : best.answers) {
      if (best.rank != kNamed && !best.patterns.empty())
        answer.why += fmt::format(", unless the pattern {} fits", join(best.patterns, " or "));
      answers.push_back(std::move(answer));
    }
  }
  return answers;
}

}  // namespace

std::vector<LookupResult> look_up(const Files& files, const Survey& survey,
                                  const std::string& typed) {
  if (typed.starts_with('/')) return users_of(files, survey, typed);
  const bool is_hex = TypedThumbprint::looks_like_one(typed);
  if (is_hex)
    if (auto thumbprint = TypedThumbprint::parse(typed)) {
      std::vector<LookupResult> holders = holders_of(survey, *thumbprint);
      if (!holders.empty()) return holders;
    }
  if (typed.starts_with("unix:") || as_listener(typed)) return answers_at(survey, typed);
  std::vector<LookupResult> answers = answers_for(survey, to_lower(typed));
  // A mistyped thumbprint does not match wildcards and defaults; only a site with exactly this name
  // is found.
  if (is_hex)
    std::erase_if(answers, [&](const LookupResult& answer) {
      const std::vector<std::string>& names = answer.bound->binding.names;
      return std::ranges::find(names, to_lower(typed)) == names.end();
    });
  return answers;
}

std::vector<const SurveyedBinding*> bindings_of_site(const Survey& survey,
                                                     const std::string& name) {
  std::set<const SurveyedBinding*> meant;
  for (const LookupResult& answer : answers_for(survey, to_lower(name)))
    if (!answer.by_default) meant.insert(answer.bound);
  for (const SurveyedBinding& bound : survey.bindings)
    if (bound.binding.site == name) meant.insert(&bound);
  return {meant.begin(), meant.end()};
}

std::vector<const SurveyedBinding*> our_bindings_of_site(const Survey& survey,
                                                         const std::string& name) {
  auto meant = bindings_of_site(survey, name);
  std::erase_if(meant,
                [](const SurveyedBinding* bound) { return !bound->service->trust().is_ours(); });
  return meant;
}

std::vector<std::string> site_names(const Survey& survey) {
  std::vector<std::string> names;
  for (const SurveyedBinding& bound : survey.bindings) {
    names.push_back(bound.binding.site);
    names.insert(names.end(), bound.binding.names.begin(), bound.binding.names.end());
  }
  return names;
}

std::string nearest_site(const Survey& survey, const std::string& name) {
  return closest_to(name, site_names(survey));
}

Error no_such_site(const Survey& survey, const std::string& doing, const std::string& name) {
  const std::string meant = nearest_site(survey, name);
  Error error{Code::failed, doing, printable(name),
              survey.services.found.empty()
                  ? "no running server was found"
                  : "no site of a running server and no file has this name",
              "certrebind scan lists the sites; name a stopped server with --service"};
  if (!meant.empty()) error.hint = fmt::format("did you mean {}? {}", printable(meant), error.hint);
  return error;
}

}  // namespace certrebind
