// The conversation over the control socket, for the answers of HAProxy 2.6. It interprets their
// wording, because the socket returns no status.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "service/haproxy/live_update.h"

namespace certrebind::haproxy {

namespace {

// No certificate has this name. Aborting it changes nothing, and HAProxy's refusal names the
// certificate whose change is open. (`show ssl cert` would tell too, but lists all certificates.)
// This check is vital: while a change of one certificate is open, HAProxy 2.6 applies a `set` for
// another one to the open change.
constexpr std::string_view kNobody = "/certrebind/asks/whether/a/change/is/open";

bool says(std::string_view answer, std::string_view words) {
  return answer.find(words) != std::string_view::npos;
}

std::string command(std::string_view verb, std::string_view name) {
  return fmt::format("{} ssl cert {}\n", verb, socket_word(name));
}

std::string probe() {
  return command("abort", kNobody);
}

// The name of the certificate whose change is open; empty if there is none; or an error.
Result<std::string> open_change(std::string_view answer) {
  constexpr std::string_view kAbout = "transaction is about '";
  if (says(answer, "No ongoing transaction")) return std::string();
  size_t at = answer.find(kAbout);
  if (at == std::string_view::npos)
    return fail(Code::failed, "use", "HAProxy's control socket",
                "it answered: " + printable(trim(answer)));
  std::string_view rest = answer.substr(at + kAbout.size());
  return std::string(rest.substr(0, rest.find("' but you")));
}

std::unexpected<Error> left_open(const std::string& name) {
  return fail(
      Code::busy, "change certificates at HAProxy's control socket", printable(name),
      "somebody began a change of it there and has not ended it",
      fmt::format("commit it or abort it: abort ssl cert {}", printable(socket_word(name))));
}

class Question final : public SocketConversation {
 public:
  explicit Question(std::vector<std::string> names) : names_(std::move(names)) {}

  std::optional<std::string> request() override {
    if (!outcome_ || asked_ > names_.size()) return std::nullopt;
    return asked_ == 0 ? probe() : command("show", names_[asked_ - 1]);
  }

  void hear(std::string_view answer) override {
    outcome_ = asked_ == 0 ? judge_open(answer) : judge_known(answer, names_[asked_ - 1]);
    ++asked_;
  }

  Done outcome() const override { return outcome_; }

 private:
  static Done judge_open(std::string_view answer) {
    auto name = open_change(answer);
    if (!name) return pass(name);
    if (!name->empty()) return left_open(*name);
    return {};
  }

  static Done judge_known(std::string_view answer, const std::string& name) {
    if (says(answer, "Filename: " + name + "\n") && says(answer, "Status: Used")) return {};
    return fail(Code::failed, "find at HAProxy's control socket", printable(name),
                "it does not use a certificate of this name");
  }

  std::vector<std::string> names_;
  size_t asked_ = 0;
  Done outcome_;
};

class Update final : public SocketConversation {
 public:
  Update(std::vector<LiveCertificate> certificates, bool resumed)
      : certificates_(std::move(certificates)), resumed_(resumed) {}

  std::optional<std::string> request() override {
    if (step_ == Step::over || at_ == certificates_.size()) return std::nullopt;
    const LiveCertificate& now = certificates_[at_];
    switch (step_) {
      case Step::look:
        return probe();
      case Step::take_back:
        return command("abort", open_);
      case Step::set:
        return payload(now.name, now.payload);
      case Step::set_companion:
        return payload(now.name + now.companions[companion_].first,
                       now.companions[companion_].second);
      case Step::commit:
        return command("commit", now.name);
      case Step::read_back:
        return command("show", now.name);
      case Step::give_up:
        return command("abort", now.name);
      case Step::over:
        break;
    }
    return std::nullopt;
  }

  void hear(std::string_view answer) override {
    const LiveCertificate& now = certificates_[at_];
    switch (step_) {
      case Step::look:
        return looked(answer);
      case Step::take_back:
        step_ = Step::look;
        return;
      case Step::set:
        companion_ = 0;
        if (!says(answer, "Transaction created for certificate " + now.name))
          return refused("set", answer);
        step_ = now.companions.empty() ? Step::commit : Step::set_companion;
        return;
      case Step::set_companion:
        if (!says(answer, "Transaction updated for certificate " + now.name))
          return refused("set", answer);
        if (++companion_ == now.companions.size()) step_ = Step::commit;
        return;
      case Step::commit:
        if (!says(answer, "Success!")) return refused("commit", answer);
        step_ = Step::read_back;
        return;
      case Step::read_back:
        if (!holds(answer, now)) {
          outcome_ = fail(Code::failed, "read back from HAProxy", printable(now.name),
                          "it does not hold what was committed");
          step_ = Step::over;
          return;
        }
        ++at_;
        step_ = Step::look;
        return;
      case Step::give_up:
      case Step::over:
        step_ = Step::over;
        return;
    }
  }

  Done outcome() const override {
    if (!outcome_ || at_ == certificates_.size()) return outcome_;
    return fail(Code::failed, "change certificates at HAProxy's control socket",
                printable(certificates_[at_].name), "it did not come to an end");
  }

 private:
  enum class Step { look, take_back, set, set_companion, commit, read_back, give_up, over };

  static bool holds(std::string_view answer, const LiveCertificate& certificate) {
    const std::string_view fingerprint = "SHA1 FingerPrint: ";
    if (says(answer, fingerprint)) return says(answer, std::string(fingerprint) + certificate.sha1);
    return says(answer, certificate.serial_and_dates);
  }

  // "<<" and an empty line delimit a payload.
  static std::string payload(std::string_view name, std::string_view text) {
    return fmt::format("set ssl cert {} <<\n{}\n", socket_word(name), text);
  }

  void looked(std::string_view answer) {
    auto name = open_change(answer);
    if (name && name->empty()) {
      step_ = Step::set;
      return;
    }
    bool ours = name && resumed_ && taken_back_ < certificates_.size() &&
                std::ranges::any_of(certificates_, [&](const LiveCertificate& certificate) {
                  return certificate.name == *name;
                });
    if (ours) {
      open_ = *name;
      ++taken_back_;
      step_ = Step::take_back;
      return;
    }
    outcome_ = name ? Done(left_open(*name)) : Done(pass(name));
    step_ = Step::over;
  }

  void refused(const char* verb, std::string_view answer) {
    std::vector<std::string> lines;
    for (const std::string& line : split(trim(answer), '\n')) lines.push_back(printable(line));
    std::string words = join(lines, "; ");
    outcome_ = fail(Code::failed, fmt::format("{} at HAProxy's control socket", verb),
                    printable(certificates_[at_].name),
                    words.empty() ? "it gave no answer" : "it answered: " + words);
    step_ = Step::give_up;
  }

  std::vector<LiveCertificate> certificates_;
  bool resumed_;
  size_t at_ = 0;
  size_t companion_ = 0;
  size_t taken_back_ = 0;
  std::string open_;  // the certificate of a change that was already open
  Step step_ = Step::look;
  Done outcome_;
};

// `show ssl cert` lists all certificates by name, with a "*" before one with an uncommitted change.
// Then asks about each unknown one, because a certificate that is only in a store is not in use.
class WhatIsLoaded final : public LoadedView {
 public:
  WhatIsLoaded(Address address, std::set<std::string> seen)
      : address_(std::move(address)), seen_(std::move(seen)) {}

  Address address() const override { return address_; }

  std::optional<std::string> request() override {
    if (!listed_) return "show ssl cert\n";
    if (next_ == candidates_.size()) return std::nullopt;
    return "show ssl cert " + socket_word(candidates_[next_]) + "\n";
  }

  void hear(std::string_view answer) override {
    if (listed_) return hear_one(answer);
    listed_ = true;
    understood_ = answer.find("# filename") != std::string_view::npos;
    for (const std::string& line : split(answer, '\n')) {
      std::string name(trim(line));
      if (name.empty() || name.starts_with('#') || name.starts_with('*')) continue;
      if (!seen_.contains(name) && candidates_.size() < kMostAsked) candidates_.push_back(name);
    }
    if (!understood_) candidates_.clear();
  }

  Done outcome() const override {
    if (understood_) return {};
    return fail(Code::failed, "ask what is loaded at", address_.text(),
                "the answer is not understood");
  }
  std::vector<std::string> unseen() const override { return unseen_; }

 private:
  static constexpr size_t kMostAsked = 50;

  void hear_one(std::string_view answer) {
    if (answer.find("Status: Unused") == std::string_view::npos)
      unseen_.push_back(candidates_[next_]);
    ++next_;
  }

  Address address_;
  std::set<std::string> seen_;
  bool listed_ = false;
  bool understood_ = false;
  std::vector<std::string> candidates_;
  size_t next_ = 0;
  std::vector<std::string> unseen_;
};

}  // namespace

// Blanks and semicolons would end the word (management guide, section 9.3).
std::string socket_word(std::string_view name) {
  std::string text;
  for (char c : name) {
    if (c == ' ' || c == ';' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

std::unique_ptr<LoadedView> ask_what_is_loaded(Address address, std::set<std::string> seen) {
  return std::make_unique<WhatIsLoaded>(std::move(address), std::move(seen));
}

std::unique_ptr<SocketConversation> ask_about(std::vector<std::string> names) {
  return std::make_unique<Question>(std::move(names));
}

std::unique_ptr<SocketConversation> set_and_commit(std::vector<LiveCertificate> certificates,
                                                   bool resumed) {
  return std::make_unique<Update>(std::move(certificates), resumed);
}

}  // namespace certrebind::haproxy
