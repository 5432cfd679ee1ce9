#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/import.h"
#include "cli/output.h"
#include "cli/typed_input.h"
#include "cli/wanted_options.h"

namespace certrebind {

namespace {

struct SelfSignedTyped {
  WantedOptions wanted;
  int days = 365;
  ImportOptions options;
};

// Clients' clocks may be slow.
constexpr auto kEarlier = std::chrono::hours(1);

int self_signed(Context& context, const SelfSignedTyped& typed) {
  if (Done root = only_root("make", "a certificate"); !root) return report(root.error());
  const WallTime now = context.host().clock.wall();
  auto made =
      make_self_signed(typed.wanted.wanted(), now - kEarlier, now + std::chrono::days(typed.days));
  if (!made) return report(made.error());
  auto credentials = read_credentials(made->certificate_pem, made->key_pem, nullptr);
  if (!credentials) return report(credentials.error());
  const std::string names = join(typed.wanted.names, " ");
  return import_and_tell(context, typed.options,
                         {.credentials = std::move(*credentials),
                          .from = {.certificate = "the certificate", .key = "its own key"},
                          .command = "certrebind self-signed " + names});
}

}  // namespace

CommandSpec self_signed_command() {
  auto typed = std::make_shared<SelfSignedTyped>();
  std::vector<CommandOption> options = wanted_options(typed->wanted);
  options.push_back({"--days", &typed->days, "how long it is valid; default: 365", "N",
                     Need::optional, in_range(1, 3650)});
  std::ranges::move(import_options(typed->options), std::back_inserter(options));
  return {.name = "self-signed",
          .summary = "make a key and a certificate that signs itself, in certrebind's own store",
          .options = std::move(options),
          .footer =
              "For tests, and for clients that are told to trust it: no browser does by itself.\n"
              "Example:\n  certrebind self-signed test.example.com 192.0.2.1 --days 30",
          .run = [typed](Context& context) { return self_signed(context, *typed); }};
}

}  // namespace certrebind
