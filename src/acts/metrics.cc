#include "acts/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"

namespace certrebind {

namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

// A label value may contain any character; these three are escaped.
std::string escaped(const std::string& value) {
  std::string text;
  for (char c : printable(value)) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n')
      text += "\\n";
    else
      text += c;
  }
  return text;
}

std::string text_of(const Labels& labels) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : labels)
    parts.push_back(fmt::format("{}=\"{}\"", name, escaped(value)));
  return parts.empty() ? "" : "{" + join(parts, ",") + "}";
}

double seconds(WallTime time) {
  return static_cast<double>(time.time_since_epoch().count()) / 1000;
}

// Every sample of one name, once for each set of labels.
class Metric {
 public:
  enum class Worse { less, more };
  Metric(std::string name, std::string help, Worse worse = Worse::more)
      : name_("certrebind_" + std::move(name)), help_(std::move(help)), worse_(worse) {}

  void add(const Labels& labels, double value) {
    auto [sample, is_new] = samples_.try_emplace(text_of(labels), value);
    if (!is_new)
      sample->second =
          worse_ == Worse::less ? std::min(sample->second, value) : std::max(sample->second, value);
  }
  std::string text() const {
    if (samples_.empty()) return "";
    std::string all = fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name_, help_);
    for (const auto& [labels, value] : samples_)
      all += fmt::format("{}{} {}\n", name_, labels, value);
    return all;
  }

 private:
  std::string name_, help_;
  Worse worse_;
  std::map<std::string, double> samples_;
};

class SiteMetrics {
 public:
  void add(const AuditedBinding& audited) {
    const SurveyedBinding& bound = *audited.bound;
    const Labels site = {{"service", bound.service->id().text()},
                         {"site", bound.binding.site},
                         {"path", bound.binding.certificate.path}};
    level_.add(site, static_cast<double>(audited.level()));
    drift_.add(site, drifts(audited) ? 1 : 0);
    add_unproven(audited, site);
    if (bound.disk && bound.disk->certificate)
      add_certificate(site, *bound.disk->certificate, on_disk_, disk_info_);
    for (const Look& look : audited.looks) {
      if (!look.served) continue;
      auto leaf = outline_of(look.served->leaf_der);
      if (leaf) add_certificate(site, *leaf, served_, served_info_);
    }
  }
  std::string text() const {
    std::string all;
    for (const Metric* metric :
         {&level_, &drift_, &unproven_, &on_disk_, &served_, &disk_info_, &served_info_})
      all += metric->text();
    return all;
  }

 private:
  static bool drifts(const AuditedBinding& audited) {
    return std::ranges::any_of(audited.remarks, [](const Remark& remark) {
      return remark.complaint == Complaint::renewed_not_reloaded ||
             remark.complaint == Complaint::serves_another ||
             remark.complaint == Complaint::copy_stale;
    });
  }
  void add_unproven(const AuditedBinding& audited, const Labels& site) {
    const auto& endpoints = audited.bound->binding.endpoints;
    auto unproven = std::ranges::count_if(
        endpoints, [](const Endpoint& endpoint) { return !endpoint.unproven.empty(); });
    auto unanswered =
        std::ranges::count_if(audited.looks, [](const Look& look) { return !look.served; });
    unproven_.add(site, static_cast<double>(unproven + unanswered));
  }
  static void add_certificate(const Labels& site, const CertificateOutline& leaf, Metric& expiry,
                              Metric& info) {
    expiry.add(site, seconds(leaf.not_after));
    Labels labels = site;
    labels.emplace_back("fingerprint", leaf.thumbprint.hex());
    labels.emplace_back("subject", leaf.subject);
    info.add(labels, 1);
  }

  Metric level_{"site_level", "What check says of a site: 0 ok, 1 warning, 2 critical."};
  Metric drift_{"site_drift", "1 if a site does not serve what it should."};
  Metric unproven_{"site_unproven_endpoints", "Endpoints and names that no handshake could show."};
  Metric on_disk_{"certificate_expiry_timestamp_seconds",
                  "End of validity of the certificate on disk.", Metric::Worse::less};
  Metric served_{"served_expiry_timestamp_seconds",
                 "End of validity of the certificate that is served; the earliest of a site.",
                 Metric::Worse::less};
  Metric disk_info_{"certificate_info", "SHA-256 fingerprint of the certificate on disk."};
  Metric served_info_{"served_info", "SHA-256 fingerprint of a certificate that is served."};
};

// The last transaction of each server that ended.
std::string transactions_text(const std::vector<TransactionRow>& rows) {
  std::map<std::string, const TransactionRow*> last;
  for (const TransactionRow& row : rows)
    if (row.ended && row.outcome) last[row.service.text()] = &row;
  Metric at("last_rebind_timestamp_seconds", "When the last rebind of a server ended.");
  Metric took("last_rebind_duration_seconds", "How long it took.");
  Metric outcome("last_rebind_outcome", "1 for the outcome that it had.");
  for (const auto& [service, row] : last) {
    at.add({{"service", service}}, seconds(*row->ended));
    took.add({{"service", service}}, seconds(*row->ended) - seconds(row->started));
    outcome.add({{"service", service}, {"outcome", to_text(*row->outcome)}}, 1);
  }
  return at.text() + took.text() + outcome.text();
}

std::string one(const char* name, const char* help, double value) {
  Metric metric(name, help);
  metric.add({}, value);
  return metric.text();
}

}  // namespace

std::string metrics_text(const CheckReport& report, const Operation& operation, WallTime now) {
  SiteMetrics sites;
  for (const AuditedBinding& binding : report.bindings) sites.add(binding);
  auto errors =
      std::ranges::count(report.survey.diagnostics, Severity::error, &Diagnostic::severity);
  return one("check_timestamp_seconds", "When this was looked at.", seconds(now)) +
         one("enabled", "1 if renewals are rebound automatically.", operation.enabled ? 1 : 0) +
         one("daemon_up", "1 if the daemon runs.", operation.running ? 1 : 0) +
         one("attention", "How many things need a person.",
             static_cast<double>(operation.attention)) +
         one("errors", "Errors in what was read, so that sites may be missing here.",
             static_cast<double>(errors)) +
         one("interrupted", "Transactions that were interrupted and not finished.",
             static_cast<double>(report.interrupted.size())) +
         sites.text() + transactions_text(operation.transactions);
}

}  // namespace certrebind
