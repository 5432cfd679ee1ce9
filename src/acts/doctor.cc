#include "acts/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "base/text.h"
#include "store/renewers.h"
#include "survey/policy.h"
#include "sys/file_system.h"
#include "sys/safe_way.h"

namespace certrebind {

namespace {

constexpr uint64_t kSpaceNeeded = uint64_t{8} << 20;  // for before-images and staged files
constexpr auto kGrace = std::chrono::hours(48);       // after which a renewal is late
constexpr size_t kSitesNamed = 3;
constexpr size_t kLongestHook = 1u << 16;

std::string sites_named(const std::set<std::string>& sites) {
  std::vector<std::string> first;
  for (const std::string& site : sites)
    if (first.size() < kSitesNamed) first.push_back(printable(site));
  std::string text = join(first, ", ");
  if (sites.size() > first.size()) text += fmt::format(" and {} more", sites.size() - first.size());
  return text;
}

// True if a line of this text has systemd reload the unit.
bool reloads(const std::string& text, const std::string& unit) {
  static const std::set<std::string_view> kReloads = {"reload", "force-reload", "reload-or-restart",
                                                      "try-reload-or-restart"};
  for (std::string line : split(text, '\n')) {
    std::ranges::replace_if(
        line, [](unsigned char c) { return !std::isalnum(c) && c != '-' && c != '.' && c != '@'; },
        ' ');
    const std::vector<std::string> words = split(line, ' ');
    const auto is_unit = [&](const std::string& word) {
      return word == unit || word == unit + ".service";
    };
    if (std::ranges::any_of(words, [&](const auto& word) { return kReloads.contains(word); }) &&
        std::ranges::any_of(words, is_unit))
      return true;
  }
  return false;
}

// Many sites often have the same ailment: each sentence is said once, with its sites.
class Ailments {
 public:
  Ailments(const Looking& at, const CheckReport& report, bool autoenrolls)
      : at_(at), report_(report), autoenrolls_(autoenrolls) {}

  std::vector<Attention> gather() {
    const WallTime now = at_.host.clock.wall();
    found_ = attention_of(at_.settings, report_, true, now);
    std::ranges::move(attention_of(report_.interrupted), std::back_inserter(found_));
    for (const auto& service : report_.survey.services.found) look_at_reload(*service);
    Renewers renewers(at_.host.files, at_.settings.stores, own_user());
    for (const SurveyedBinding& bound : report_.survey.bindings) {
      if (is_left_alone(at_.settings, bound) || bound.binding.certificate.path.empty()) continue;
      const auto owner = renewers.owner_of(bound.binding.certificate.path);
      look_at_files(bound, owner.has_value());
      look_at_renewer(bound, owner, now);
      if (owner) look_at_hooks(bound, *owner);
      look_at_clock(bound, now);
    }
    for (const auto& [ailment, sites] : of_sites_)
      found_.push_back({.subject = ailment.subject,
                        .sentence = sites_named(sites) + ": " + ailment.sentence,
                        .next = ailment.next});
    return std::move(found_);
  }

 private:
  struct Less {
    bool operator()(const Attention& one, const Attention& other) const {
      return std::tie(one.subject, one.sentence, one.next) <
             std::tie(other.subject, other.sentence, other.next);
    }
  };

  void add(const SurveyedBinding& bound, Attention ailment) {
    of_sites_[std::move(ailment)].insert(bound.binding.site);
  }

  void look_at_reload(const Service& service) {
    const Reload reload = service.reload();
    const RestartPermit permit = restart_permit(at_.settings, service.id(), at_.host.clock.wall());
    if (!reload.restart_only.empty() && !reload.live && !permit.is_given)
      found_.push_back({.subject = service.id().text(),
                        .sentence = fmt::format("{} cannot be told to load a new certificate: {}",
                                                service.id().text(), reload.restart_only),
                        .next = "certrebind check --service " + shell_quoted(service.id().text())});
  }

  // What its renewer writes in place is only loaded; certrebind need not write there.
  void look_at_files(const SurveyedBinding& bound, bool is_renewed) {
    const Binding& binding = bound.binding;
    const std::string& path = binding.certificate.path;
    const std::string service = bound.service->id().text();
    if (!binding.not_editable.empty())
      add(bound, {.subject = service,
                  .sentence = "the configuration of its certificate cannot be changed: " +
                              printable(binding.not_editable),
                  .next = "certrebind explain " + shown_site(binding)});
    if (is_renewed || !bound.service->trust().is_ours()) return;
    if (Done safe = SafeWay(at_.host.files).to(path); !safe)
      add(bound,
          {.subject = service,
           .sentence = "certrebind does not write there: " + printable(safe.error().subject) +
                       ": " + printable(safe.error().cause),
           .next = printable(safe.error().hint)});
    const std::string directory = parent_directory(path);
    if (directories_.insert(directory).second)
      std::ranges::move(ailments_of_directory(service, directory), std::back_inserter(found_));
  }

  void look_at_renewer(const SurveyedBinding& bound, const std::optional<Lineage>& owner,
                       WallTime now) {
    const std::string service = bound.service->id().text();
    const std::string explain = "certrebind explain " + shown_site(bound.binding);
    if (!owner) {
      add(bound, {.subject = service,
                  .sentence = "nobody is known to renew this certificate",
                  .next = "certrebind rebind SITE NEW.pem after each renewal, or a [[store]] in "
                          "certrebind.toml that says who renews it"});
      return;
    }
    if (owner->scheduled_by.empty() && !autoenrolls_) {
      const bool is_certbot = owner->renewer == "certbot";
      add(bound,
          {.subject = service,
           .sentence = fmt::format(
               "{} renews this certificate, but nothing runs it{}", printable(owner->renewer),
               owner->schedule_note.empty() ? "" : " (" + printable(owner->schedule_note) + ")"),
           .next = is_certbot ? "systemctl enable --now certbot.timer"
                              : "certrebind autoenroll enable"});
    } else if (!owner->scheduled_by.empty() && owner->due && *owner->due + kGrace < now) {
      add(bound,
          {.subject = service,
           .sentence = fmt::format("{} should have renewed this certificate since {}: its last "
                                   "runs failed, or did not happen",
                                   printable(owner->renewer), to_text(*owner->due)),
           .next = owner->scheduled_by.ends_with(".timer")
                       ? fmt::format("systemctl status {}", printable(owner->scheduled_by))
                       : explain});
    }
  }

  // certrebind reloads the server in a way that does it no harm; a hook may not.
  void look_at_hooks(const SurveyedBinding& bound, const Lineage& owner) {
    const auto unsafe = bound.service->unsafe_reload();
    if (!unsafe) return;
    for (const std::string& hook : owner.hooks) {
      auto script = at_.host.files.read(hook, kLongestHook);
      for (const std::string& unit : unsafe->units)
        if (reloads(script ? *script : hook, unit))
          add(bound, {.subject = bound.service->id().text(),
                      .sentence = fmt::format("a hook of {} reloads {}.service ({}): {}",
                                              printable(owner.renewer), unit, printable(hook),
                                              printable(unsafe->why)),
                      .next = "take that out of the hook: certrebind reloads it"});
    }
  }

  void look_at_clock(const SurveyedBinding& bound, WallTime now) {
    if (!bound.disk || !bound.disk->certificate) return;
    if (bound.disk->certificate->not_before <= now) return;
    add(bound,
        {.subject = "clock",
         .sentence = fmt::format("the certificate on disk is valid only from {} UTC, and the "
                                 "clock of this machine shows {} UTC",
                                 to_text(bound.disk->certificate->not_before), to_text(now)),
         .next = "timedatectl"});
  }

  // A name that is more than one word for a shell is not put into a command.
  static std::string shown_site(const Binding& binding) {
    const bool is_plain = std::ranges::all_of(binding.site, [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':';
    });
    return is_plain ? binding.site : "SITE";
  }

  const Looking& at_;
  const CheckReport& report_;
  const bool autoenrolls_;
  std::vector<Attention> found_;
  std::map<Attention, std::set<std::string>, Less> of_sites_;
  std::set<std::string> directories_;
};

}  // namespace

std::vector<Attention> ailments_of_servers(const Looking& at, const CheckReport& report,
                                           bool autoenrolls) {
  return Ailments(at, report, autoenrolls).gather();
}

std::vector<Attention> ailments_of_directory(const std::string& subject, const std::string& path) {
  auto state = file_system_of(path);
  if (!state) return {};
  if (state->read_only)
    return {{.subject = subject,
             .sentence = fmt::format("the file system of {} is read-only", printable(path)),
             .next = "findmnt --target " + shell_quoted(printable(path))}};
  if (state->free_bytes < kSpaceNeeded)
    return {{.subject = subject,
             .sentence = fmt::format("the file system of {} has only {} KiB left", printable(path),
                                     state->free_bytes / 1024),
             .next = "df -h " + shell_quoted(printable(path))}};
  return {};
}

}  // namespace certrebind
