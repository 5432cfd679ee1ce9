// Each dialect is data: what is sent, how the answer must begin, and how an answer is told apart
// from the bytes that follow it. One function follows all of them.
#include "probe/start_tls_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "x509/der.h"

namespace certrebind {

namespace {

using namespace std::string_literals;
using Prefixes = std::vector<std::string_view>;

constexpr size_t kMostBytes = 16 * 1024;  // of all answers together
constexpr size_t kMostAnswers = 500;      // XMPP: tags
constexpr size_t kMostShown = 240;

// How a dialect's answers are separated.
struct Framing {
  size_t (*size)(std::string_view unread);       // of the first answer; 0: incomplete
  std::string (*text)(std::string_view answer);  // the answer as text
};

struct Step {
  std::string send;        // empty: the server begins
  Prefixes accepted = {};  // the answer begins with one of these; none: no answer comes
  Prefixes skipped = {};   // answers that may come before it
  Prefixes refused = {};   // but not these of them
};

struct Dialect {
  Framing framing;
  Prefixes temporary;  // how refusals begin that may end by themselves
  std::vector<Step> steps;
};

std::string as_it_is(std::string_view answer) {
  return std::string(answer);
}

// Of a binary dialect: so that no bytes can pass for a text of ours.
std::string unknown(std::string_view answer) {
  return fmt::format("unknown answer {}", answer);
}

uint32_t little_endian(std::string_view bytes) {
  uint32_t number = 0;
  for (size_t i = bytes.size(); i > 0; --i)
    number = number << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return number;
}

// One line, or all lines of a reply with a code: "250-…", then whatever, until "250 …" (RFC 959
// section 4.2, RFC 5321 section 4.2.1).
size_t reply_size(std::string_view unread) {
  const bool goes_on = unread.size() > 3 && unread[3] == '-' &&
                       unread.substr(0, 3).find_first_not_of("0123456789") == unread.npos;
  for (size_t begin = 0;;) {
    size_t end = unread.find('\n', begin);
    if (end == unread.npos) return 0;
    std::string_view line = unread.substr(begin, end - begin);
    begin = end + 1;
    if (!goes_on || (line.starts_with(unread.substr(0, 3)) && !line.substr(3).starts_with('-')))
      return begin;
  }
}

// One tag, with the text before it; an error with all that it contains.
size_t tag_size(std::string_view unread) {
  constexpr std::string_view kErrorEnd = "</stream:error>";
  size_t end = unread.find('>');
  if (end == unread.npos) return 0;
  if (unread.substr(0, end).find("<stream:error") == unread.npos) return end + 1;
  end = unread.find(kErrorEnd);
  return end == unread.npos ? 0 : end + kErrorEnd.size();
}

std::string tag_text(std::string_view answer) {
  return std::string(answer.substr(std::min(answer.find('<'), answer.size())));
}

// One byte if it is consent (an error message has no mark at its end).
size_t postgres_size(std::string_view unread) {
  return unread.starts_with('S') ? 1 : unread.size();
}

std::string postgres_text(std::string_view answer) {
  if (answer == "S") return "TLS";
  return answer == "N" ? "N" : unknown(answer);
}

size_t ldap_size(std::string_view unread) {
  if (!unread.empty() && static_cast<unsigned char>(unread[0]) != der::kSequence)
    return unread.size();
  return der_element_size(unread).value_or(0);
}

// "result 52: the diagnostic message" of an ExtendedResponse (RFC 4511 sections 4.1.9 and 4.12).
std::string ldap_text(std::string_view answer) {
  constexpr unsigned char kExtendedResponse = 0x78, kEnumerated = 0x0A;
  DerReader whole(answer);
  auto message = whole.next(der::kSequence);
  DerReader fields(message ? message->content : "");
  auto id = fields.next(der::kInteger);
  auto response = fields.next(kExtendedResponse);
  DerReader parts(response ? response->content : "");
  auto code = parts.next(kEnumerated);
  auto matched = parts.next(der::kOctetString);
  auto diagnostic = parts.next(der::kOctetString);
  if (!id || !code || code->content.size() != 1 || !matched || !diagnostic) return unknown(answer);
  return fmt::format("result {}: {}", static_cast<unsigned char>(code->content[0]),
                     diagnostic->content);
}

constexpr size_t kMysqlHeader = 4;  // three bytes of length, one of sequence

size_t mysql_size(std::string_view unread) {
  if (unread.size() < kMysqlHeader) return 0;
  size_t size = kMysqlHeader + little_endian(unread.substr(0, 3));
  if (size > kMostBytes) return unread.size();
  return size <= unread.size() ? size : 0;
}

// "TLS" of a server's first packet that offers it, else its version or its error.
std::string mysql_text(std::string_view answer) {
  constexpr char kProtocol = 10, kError = '\xFF';
  constexpr uint32_t kClientSsl = 0x0800;
  std::string_view packet = answer.substr(kMysqlHeader);
  if (packet.starts_with(kError) && packet.size() >= 3)
    return fmt::format("error {}: {}", little_endian(packet.substr(1, 2)), packet.substr(3));
  size_t version_end = packet.find('\0');
  if (!packet.starts_with(kProtocol) || version_end == packet.npos) return unknown(answer);
  // The version is followed by a thread's id, 8 random bytes and a zero.
  std::string_view rest = packet.substr(version_end + 1);
  if (rest.size() >= 15 && (little_endian(rest.substr(13, 2)) & kClientSsl) != 0) return "TLS";
  return fmt::format("version {}", packet.substr(1, version_end - 1));
}

constexpr Framing kReplies{reply_size, as_it_is};
constexpr Framing kTags{tag_size, tag_text};
constexpr Framing kPostgres{postgres_size, postgres_text};
constexpr Framing kLdap{ldap_size, ldap_text};
constexpr Framing kMysql{mysql_size, mysql_text};

// As the value of an XML attribute.
std::string escaped_xml(std::string_view value) {
  std::string text;
  for (char c : value) {
    if (std::string_view("&<>'\"").contains(c)) {
      text += fmt::format("&#{};", static_cast<int>(c));
    } else {
      text += c;
    }
  }
  return text;
}

// RFC 6120 section 5.4.
Dialect xmpp(std::string_view kind, const std::string& name) {
  const std::string to = name.empty() ? "" : fmt::format(" to='{}'", escaped_xml(name));
  return {kTags,
          {},
          {{fmt::format("<?xml version='1.0'?><stream:stream xmlns='jabber:{}' "
                        "xmlns:stream='http://etherx.jabber.org/streams'{} version='1.0'>",
                        kind, to),
            {"</stream:features", "<stream:features/"},
            {""},
            {"<stream:error"}},
           {"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            {"<proceed"},
            {""},
            {"<failure", "<stream:error"}}}};
}

Dialect dialect_of(StartTls dialect, const std::string& name) {
  switch (dialect) {
    case StartTls::none:
      break;
    case StartTls::smtp:  // RFC 3207 section 4
      return {kReplies,
              {"4"},
              {{"", {"220"}}, {"EHLO localhost\r\n", {"250"}}, {"STARTTLS\r\n", {"220"}}}};
    case StartTls::lmtp:  // RFC 2033 section 4.1, and as with SMTP
      return {kReplies,
              {"4"},
              {{"", {"220"}}, {"LHLO localhost\r\n", {"250"}}, {"STARTTLS\r\n", {"220"}}}};
    case StartTls::imap:  // RFC 9051 section 6.2.1, RFC 3501
      return {kReplies,
              {},
              {{"", {"* ok", "* preauth"}}, {"a STARTTLS\r\n", {"a ok"}, {"* "}, {"* bye"}}}};
    case StartTls::pop3:  // RFC 2595 section 4
      return {kReplies, {}, {{"", {"+ok"}}, {"STLS\r\n", {"+ok"}}}};
    case StartTls::sieve:  // RFC 5804 sections 1.7 and 2.2; first the capabilities, in quotes
      return {kReplies, {}, {{"", {"ok"}, {"\""}}, {"STARTTLS\r\n", {"ok"}}}};
    case StartTls::ftp:  // RFC 4217 section 4
      return {kReplies, {"4"}, {{"", {"220"}}, {"AUTH TLS\r\n", {"234"}}}};
    case StartTls::nntp:  // RFC 4642 section 2.2; 580: the server cannot begin TLS now
      return {kReplies, {"4", "580"}, {{"", {"200", "201"}}, {"STARTTLS\r\n", {"382"}}}};
    case StartTls::ldap:  // RFC 4511 section 4.14, results: busy, unavailable
      return {kLdap,
              {"result 51:", "result 52:"},
              {{"\x30\x1D\x02\x01\x01\x77\x18\x80\x16"
                "1.3.6.1.4.1.1466.20037",
                {"result 0:"}}}};
    case StartTls::postgres:  // "SSLRequest" in PostgreSQL's "Message Formats"
      return {kPostgres, {}, {{"\0\0\0\x08\x04\xD2\x16\x2F"s, {"tls"}}}};
    case StartTls::mysql:
      // "Protocol::SSLRequest" in MySQL's internals; the server reads TLS right after it. Protocol
      // 4.1, TLS, 4.1's and pluggable passwords; packets up to 16 MB; UTF-8.
      return {kMysql,
              {},
              {{"", {"tls"}}, {"\x20\0\0\x01\0\x8A\x08\0\0\0\0\x01\x21"s + std::string(23, '\0')}}};
    case StartTls::xmpp_client:
      return xmpp("client", name);
    case StartTls::xmpp_server:
      return xmpp("server", name);
  }
  return {kReplies, {}, {}};
}

bool begins_with_one(std::string_view text, const Prefixes& prefixes) {
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) {
    return to_lower(text.substr(0, prefix.size())) == prefix;
  });
}

// The first line, shortened.
std::string shown(std::string_view bytes) {
  bytes = trim(bytes);
  return printable(bytes.substr(0, std::min(bytes.find_first_of("\r\n"), kMostShown)));
}

// What the server said instead of going on. `asked`: in answer to the request for TLS itself.
std::string refusal(StartTls dialect, const Prefixes& temporary, bool asked,
                    std::string_view answer) {
  if (begins_with_one(answer, temporary)) return "the server's temporary refusal: " + shown(answer);
  if (asked) return "the server does not offer STARTTLS: " + shown(answer);
  return fmt::format("no {}: the server answered \"{}\"", to_text(dialect), shown(answer));
}

std::string_view awaited_by(const Step& step, bool asked) {
  if (step.send.empty()) return "the server's greeting";
  return asked ? "the answer to STARTTLS" : "the answer to our greeting";
}

}  // namespace

StartTlsProgress start_tls_progress(StartTls dialect, const std::string& name,
                                    std::string_view said) {
  using State = StartTlsProgress::State;
  const Dialect spoken = dialect_of(dialect, name);
  std::string sent;
  std::string_view unread = said;
  size_t answers = 0;
  for (const Step& step : spoken.steps) {
    sent += step.send;
    const bool asked = &step == &spoken.steps.back() || spoken.steps.back().accepted.empty();
    for (bool waits = !step.accepted.empty(); waits;) {
      const size_t size = spoken.framing.size(unread);
      if ((size == 0 && said.size() > kMostBytes) || ++answers > kMostAnswers)
        return {State::failed, "", fmt::format("no end of plain text after {} bytes", said.size()),
                ""};
      if (size == 0) return {State::waiting, sent, "", awaited_by(step, asked)};
      const std::string answer = spoken.framing.text(unread.substr(0, size));
      unread.remove_prefix(size);
      waits = !begins_with_one(answer, step.accepted);
      if (waits &&
          (begins_with_one(answer, step.refused) || !begins_with_one(answer, step.skipped)))
        return {State::failed, "", refusal(dialect, spoken.temporary, asked, answer), ""};
    }
  }
  if (unread.empty()) return {State::agreed, sent, "", ""};
  return {State::failed, "",
          fmt::format("plain text after the server had agreed to TLS: \"{}\"", shown(unread)), ""};
}

std::string last_words(std::string_view said) {
  said = trim(said);
  if (said.empty()) return "";
  return fmt::format("; its last words: \"{}\"", shown(said.substr(said.rfind('\n') + 1)));
}

}  // namespace certrebind
