#include "cli/typed_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "cli/pending.h"
#include "survey/lookup.h"
#include "sys/safe_way.h"

namespace certrebind {

Result<Risks> accepted_by(const std::vector<std::string>& names) {
  Risks accepted;
  for (const std::string& name : names) {
    auto risk = risk_named(name);
    if (!risk)
      return fail(Code::usage, "accept", printable(name), "there is no finding of this name",
                  "known names: " + all_risks());
    accepted.insert(*risk);
  }
  return accepted;
}

namespace {

struct Word {
  std::string text;  // a path is absolute
  bool is_site = false;
};

// A user who may write into the working directory must not turn the name of a site, or a misspelt
// one, into that of a certificate of his choice.
Done is_no_site(Context& context, const std::string& name) {
  auto surveyed = survey(context.host(), context.only());
  if (!surveyed) return pass(surveyed);
  const bool is_site = !bindings_of_site(*surveyed, name).empty();
  if (!is_site && nearest_site(*surveyed, name).empty()) return {};
  return fail(
      Code::failed, "use", printable(name),
      fmt::format("it is {}a site, and also a file here that users other than root may have "
                  "made",
                  is_site ? "" : "nearly "),
      fmt::format("for the file, type ./{}; for the site, run this in another directory",
                  printable(name)));
}

// Too few digits for a thumbprint, or too many.
bool is_only_digits(const std::string& typed) {
  return std::ranges::all_of(typed, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

Result<bool> has_site(Context& context, const std::string& name) {
  auto surveyed = survey(context.host(), context.only());
  if (!surveyed) return pass(surveyed);
  return !bindings_of_site(*surveyed, name).empty();
}

Result<Word> word_of(Context& context, const std::string& typed) {
  if (!is_path(typed)) return Word{.text = typed};
  const std::string path = absolute(typed);
  if (typed.find('/') != std::string::npos) return Word{.text = path};
  Files& files = context.host().files;
  if (!files.lstat(path)) {
    auto is_site = is_only_digits(typed) ? has_site(context, typed) : Result<bool>(true);
    if (!is_site) return pass(is_site);
    return *is_site ? Word{.text = typed, .is_site = true} : Word{.text = path};
  }
  if (!SafeWay(files).to_content(path))
    if (Done clear = is_no_site(context, typed); !clear) return pass(clear);
  return Word{.text = path};
}

std::unexpected<Error> not_in_order(const RebindOptions& options, const std::string& cause) {
  return fail(Code::usage, "pair the certificates", printable(join(options.certificates, " ")),
              cause, "name them as OLD NEW [OLD NEW ...], or name a site: SITE [NEW]");
}

// Sorts the words into sites and pairs.
Done read_words(Context& context, const RebindOptions& options, TypedRequest& request) {
  std::vector<Word> words;
  for (const std::string& typed : options.certificates) {
    auto word = word_of(context, typed);
    if (!word) return pass(word);
    words.push_back(std::move(*word));
  }
  for (size_t i = 0; i < words.size(); ++i) {
    const bool has_new = i + 1 < words.size() && !words[i + 1].is_site;
    if (words[i].is_site) {
      request.sites.push_back({.site = words[i].text,
                               .new_one = has_new ? words[++i].text : "",
                               .key_path = {},
                               .accepted = {}});
      continue;
    }
    if (!has_new) return not_in_order(options, "they come in pairs, OLD and NEW");
    RequestedPair pair{.old_one = words[i].text, .new_one = words[i + 1].text};
    ++i;
    if (std::ranges::find(request.rebind.pairs, pair) == request.rebind.pairs.end())
      request.rebind.pairs.push_back(std::move(pair));
  }
  return {};
}

Done add_key(const RebindOptions& options, TypedRequest& request) {
  if (options.key.empty()) return {};
  if (request.rebind.pairs.size() + request.sites.size() > 1)
    return fail(Code::usage, "use --key", printable(options.key), "it fits one pair only");
  const std::string key = absolute(options.key);
  if (request.sites.empty()) {
    request.rebind.pairs.front().key_path = key;
  } else if (request.sites.front().new_one.empty()) {
    return fail(Code::usage, "use --key", printable(options.key),
                "without NEW, its key is found too", "name NEW after the site");
  } else {
    request.sites.front().key_path = key;
  }
  return {};
}

// The bindings of the sites with a certificate, about which nothing is left to say.
std::vector<const SurveyedBinding*> current_bindings(const FoundSites& sites) {
  std::set<const SurveyedBinding*> with_remarks;
  for (const AuditedBinding& audited : sites.found.look.judged)
    if (std::ranges::any_of(audited.remarks,
                            [](const Remark& remark) { return needs_a_person(remark.complaint); }))
      with_remarks.insert(audited.bound);
  std::vector<const SurveyedBinding*> current;
  for (const SurveyedBinding* bound : sites.found.bindings)
    if (!with_remarks.contains(bound) && bound->disk && bound->disk->certificate)
      current.push_back(bound);
  return current;
}

}  // namespace

Result<TypedRequest> request_of(const RebindOptions& options, Context& context) {
  if (options.certificates.empty()) return not_in_order(options, "there are none");
  TypedRequest request;
  if (Done read = read_words(context, options, request); !read) return pass(read);
  if (Done added = add_key(options, request); !added) return pass(added);
  auto accepted = accepted_by(options.accepted);
  if (!accepted) return pass(accepted);
  for (RequestedPair& pair : request.rebind.pairs) pair.accepted = *accepted;
  for (SiteRequest& site : request.sites) site.accepted = *accepted;
  request.rebind.preference = preference_of(options);
  request.rebind.only = context.only();
  return request;
}

Result<FoundSites> find_sites(Context& context, const History& history,
                              const TypedRequest& request) {
  auto found = look_at_sites(context.looking(), history, request.sites);
  if (!found) return pass(found);
  FoundSites sites{.found = std::move(*found)};
  Pending& pending = sites.found.look.pending;
  pending.pairs.insert(pending.pairs.end(), request.rebind.pairs.begin(),
                       request.rebind.pairs.end());
  const bool none = pending.pairs.empty();
  const bool judged = none && add_judged(sites.found.look, nullptr, pending);
  sites.differs = judged || !pending.undecided.empty() || (none && !pending.held.empty());
  print_undecided(context, pending);
  return sites;
}

std::optional<int> tell_no_pair(Context& context, const FoundSites& sites, Json json) {
  const PendingLook& look = sites.found.look;
  if (!look.pending.pairs.empty()) return std::nullopt;
  const WallTime now = context.host().clock.wall();
  Json current = Json::array();
  std::set<std::string> told;
  for (const SurveyedBinding* bound : current_bindings(sites)) {
    const CertificateOutline& leaf = *bound->disk->certificate;
    const std::string line =
        fmt::format("{} serves what is on disk: {}, expires {}", printable(bound->binding.site),
                    leaf.thumbprint.brief(), expiry_text(leaf.not_after, now));
    current.push_back({{"service", bound->service->id().text()},
                       {"site", printable(bound->binding.site)},
                       {"certificate", to_json(leaf, bound->disk->der, now)}});
    if (!context.json() && told.insert(line).second) print_line(line);
  }
  const int code = sites.differs ? kDiffers : kDone;
  if (context.json()) {
    json["current"] = std::move(current);
    json.update(to_json(look.pending));
    json["diagnostics"] = to_json(look.survey.diagnostics);
    print_json(json);
    return code;
  }
  if (!sites.differs) print_line("nothing newer was found; nothing to do");
  print_diagnostics(look.survey.diagnostics);
  return code;
}

}  // namespace certrebind
