#include "probe/ask_for_tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace certrebind {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Texts = std::vector<std::string>;

// Greets with the first of its texts, and answers each write with the next one. Then it closes the
// connection, or says the same for ever, or is silent.
class ScriptedServer final : public Stream {
 public:
  explicit ScriptedServer(Texts texts) : texts_(std::move(texts)) { go_on(); }

  size_t at_once = 1000;  // bytes given to each read
  std::string for_ever;
  bool closes = false;
  Texts heard;
  size_t said = 0;

  Result<std::string> read(SteadyTime) override {
    if (unread_.empty()) unread_ = for_ever;
    if (unread_.empty() && closes) return std::string();
    if (unread_.empty()) return fail(Code::timed_out, "read from", "it", "no answer in time");
    std::string some = unread_.substr(0, at_once);
    unread_.erase(0, at_once);
    said += some.size();
    return some;
  }
  Done write(std::string_view bytes, SteadyTime) override {
    heard.emplace_back(bytes);
    go_on();
    return {};
  }

 private:
  void go_on() {
    if (next_ < texts_.size()) unread_ += texts_[next_++];
  }

  Texts texts_;
  size_t next_ = 0;
  std::string unread_;
};

std::string packet(const std::string& payload) {
  return std::string{static_cast<char>(payload.size()), 0, 0, 0} + payload;
}

// A server's first packet of MySQL's protocol, with these two bytes of capabilities.
std::string mysql_greeting(const std::string& capabilities) {
  return packet("\x0A"s + "10.11.6-MariaDB\0"s + "\x01\0\0\0"s + "12345678" + "\0"s + capabilities +
                "\x21\x02\0\xFF\x81"s + std::string(30, 'x'));
}

std::string ldap_answer(char code, const std::string& diagnostic) {
  const std::string response =
      "\x0A\x01"s + code + "\x04\0"s + "\x04"s + static_cast<char>(diagnostic.size()) + diagnostic;
  const std::string message = "\x02\x01\x01\x78"s + static_cast<char>(response.size()) + response;
  return "\x30"s + static_cast<char>(message.size()) + message;
}

struct Talk {
  StartTls dialect;
  Texts server;  // the last of these is the consent
  Texts client;
  std::string refusal;  // instead of the consent
  std::string cause;    // what we say then
};

const std::string kFeatures =
    "<?xml version='1.0'?><stream:stream from='a.test' id='1' version='1.0'>\n<stream:features>"
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls><mechanisms>"
    "<mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const std::string kStarttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const std::string kProceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr char kNoOffer[] = "the server does not offer STARTTLS: ";
constexpr char kTemporary[] = "the server's temporary refusal: ";

std::string stream_header(const std::string& kind, const std::string& to) {
  return "<?xml version='1.0'?><stream:stream xmlns='jabber:" + kind +
         "' xmlns:stream='http://etherx.jabber.org/streams'" + to + " version='1.0'>";
}

std::vector<Talk> talks() {
  return {
      {StartTls::smtp,
       {"220-mx.test ESMTP\r\n220 no spam\r\n",
        "250-mx.test\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 SMTPUTF8\r\n",
        "220 2.0.0 Ready to start TLS\r\n"},
       {"EHLO localhost\r\n", "STARTTLS\r\n"},
       "454 4.7.0 TLS not available due to local problem\r\n",
       std::string(kTemporary) + "454 4.7.0 TLS not available due to local problem"},
      {StartTls::lmtp,
       {"220 mx.test LMTP\r\n", "250-mx.test\r\n250 STARTTLS\r\n", "220 go\r\n"},
       {"LHLO localhost\r\n", "STARTTLS\r\n"},
       "502 5.5.1 no\r\n",
       std::string(kNoOffer) + "502 5.5.1 no"},
      {StartTls::imap,
       {"* OK [CAPABILITY IMAP4rev1] ready.\r\n", "* CAPABILITY IMAP4rev1\r\na ok Begin.\r\n"},
       {"a STARTTLS\r\n"},
       "* CAPABILITY IMAP4rev1\r\na BAD TLS support isn't enabled.\r\n",
       std::string(kNoOffer) + "a BAD TLS support isn't enabled."},
      {StartTls::pop3,
       {"+OK ready.\r\n", "+OK Begin TLS.\r\n"},
       {"STLS\r\n"},
       "-ERR no\r\n",
       std::string(kNoOffer) + "-ERR no"},
      {StartTls::sieve,
       {"\"IMPLEMENTATION\" \"Dovecot\"\r\n\"STARTTLS\"\r\nOK \"ready.\"\r\n", "OK \"Begin.\"\r\n"},
       {"STARTTLS\r\n"},
       "NO \"TLS is not available.\"\r\n",
       std::string(kNoOffer) + "NO \"TLS is not available.\""},
      {StartTls::ftp,
       {"220-Welcome\r\n to this\r\nserver 220 \r\n\r\n220 ready\r\n", "234 AUTH TLS successful\n"},
       {"AUTH TLS\r\n"},
       "530 Please login with USER and PASS.\r\n",
       std::string(kNoOffer) + "530 Please login with USER and PASS."},
      {StartTls::nntp,
       {"201 no posting\r\n", "382 go\r\n"},
       {"STARTTLS\r\n"},
       "502 Command unavailable\r\n",
       std::string(kNoOffer) + "502 Command unavailable"},
      {StartTls::ldap,
       {"", ldap_answer(0, "")},
       {"\x30\x1D\x02\x01\x01\x77\x18\x80\x16"
        "1.3.6.1.4.1.1466.20037"},
       ldap_answer(2, "unsupported extended operation"),
       std::string(kNoOffer) + "result 2: unsupported extended operation"},
      {StartTls::postgres,
       {"", "S"},
       {"\0\0\0\x08\x04\xD2\x16\x2F"s},
       "N",
       std::string(kNoOffer) + "N"},
      {StartTls::mysql,
       {mysql_greeting("\xFE\xFF")},
       {"\x20\0\0\x01\0\x8A\x08\0\0\0\0\x01\x21"s + std::string(23, '\0')},
       mysql_greeting("\xFE\xF7"),
       std::string(kNoOffer) + "version 10.11.6-MariaDB"},
      {StartTls::xmpp_client,
       {"", kFeatures, kProceed},
       {stream_header("client", " to='a.test'"), kStarttls},
       "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>",
       std::string(kNoOffer) + "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"},
      {StartTls::xmpp_server,
       {"", "<stream:stream><stream:features/>", kProceed},
       {stream_header("server", " to='a.test'"), kStarttls},
       "<stream:error><not-authorized/></stream:error></stream:stream>",
       std::string(kNoOffer) + "<stream:error><not-authorized/></stream:error>"},
  };
}

std::string cause_of(Stream& server, StartTls dialect) {
  auto agreed = ask_for_tls(server, dialect, "a.test", {});
  return agreed ? "it agreed" : agreed.error().cause;
}

std::string cause_of(Texts texts, StartTls dialect) {
  ScriptedServer server(std::move(texts));
  return cause_of(server, dialect);
}

TEST(AskForTls, EveryDialectIsTried) {
  EXPECT_EQ(talks().size(), static_cast<size_t>(StartTls::nntp));
}

TEST(AskForTls, IsAgreedTo) {
  for (const Talk& talk : talks()) {
    for (size_t at_once : {1000, 1, 3}) {
      ScriptedServer server(talk.server);
      server.at_once = at_once;
      EXPECT_EQ(cause_of(server, talk.dialect), "it agreed") << to_text(talk.dialect);
      EXPECT_EQ(server.heard, talk.client);
    }
  }
}

TEST(AskForTls, IsRefused) {
  for (const Talk& talk : talks()) {
    for (size_t at_once : {1000, 1}) {
      Texts texts = talk.server;
      texts.back() = talk.refusal;
      ScriptedServer server(texts);
      if (talk.dialect != StartTls::postgres) server.at_once = at_once;
      EXPECT_EQ(cause_of(server, talk.dialect), talk.cause) << to_text(talk.dialect);
    }
  }
}

TEST(AskForTls, SaysWhatRefusesForAWhile) {
  struct Case {
    StartTls dialect;
    Texts server;
    std::string said;
  };
  for (const Case& each : std::vector<Case>{
           {StartTls::smtp, {"421 too many connections\r\n"}, "421 too many connections"},
           {StartTls::smtp, {"220 a\r\n", "450 wait\r\n"}, "450 wait"},
           {StartTls::ftp, {"421-There are too many\r\n421 users\r\n"}, "421-There are too many"},
           {StartTls::nntp, {"400 stopped\r\n"}, "400 stopped"},
           {StartTls::nntp, {"200 a\r\n", "580 no TLS now\r\n"}, "580 no TLS now"},
           {StartTls::ldap, {"", ldap_answer(52, "no TLS now")}, "result 52: no TLS now"}}) {
    EXPECT_EQ(cause_of(each.server, each.dialect), kTemporary + each.said);
  }
}

TEST(AskForTls, SaysWhatDoesNotSpeakTheDialect) {
  EXPECT_EQ(cause_of({"554 5.7.1 you are not welcome\r\n"}, StartTls::smtp),
            "no smtp: the server answered \"554 5.7.1 you are not welcome\"");
  EXPECT_EQ(cause_of({"220 a\r\n", "500 what?\r\n"}, StartTls::smtp),
            "no smtp: the server answered \"500 what?\"");
  EXPECT_EQ(cause_of({"220 a\r\n"}, StartTls::imap), "no imap: the server answered \"220 a\"");
  EXPECT_EQ(cause_of({"* BYE full\r\n"}, StartTls::imap),
            "no imap: the server answered \"* BYE full\"");
  EXPECT_EQ(cause_of({"* OK a\r\n", "* 1 EXISTS\r\n* BYE gone\r\n"}, StartTls::imap),
            "the server does not offer STARTTLS: * BYE gone");
  EXPECT_EQ(cause_of({packet("\xFF\x69\x04Host is blocked")}, StartTls::mysql),
            "the server does not offer STARTTLS: error 1129: Host is blocked");
  EXPECT_EQ(cause_of({"", "220 a\r\n"}, StartTls::postgres),
            "the server does not offer STARTTLS: unknown answer 220 a");
  EXPECT_EQ(cause_of({"", "<stream:stream><stream:error><host-unknown/></stream:error>"},
                     StartTls::xmpp_client),
            "no xmpp-client: the server answered "
            "\"<stream:error><host-unknown/></stream:error>\"");
}

// A server may have what looks like an answer from somebody who is in between (CVE-2011-0411,
// CVE-2021-23222).
TEST(AskForTls, PlainTextAfterTheConsentIsAnError) {
  for (const Talk& talk : talks()) {
    Texts texts = talk.server;
    texts.back() += "250 a\n";
    ScriptedServer server(texts);
    EXPECT_EQ(cause_of(server, talk.dialect),
              "plain text after the server had agreed to TLS: \"250 a\"")
        << to_text(talk.dialect);
  }
}

TEST(AskForTls, SaysHowFarItCameWhereTheConnectionEnds) {
  for (const Talk& talk : talks()) {
    for (size_t said = 0; said < talk.server.size(); ++said) {
      ScriptedServer server(
          Texts(talk.server.begin(), talk.server.begin() + static_cast<long>(said)));
      server.closes = true;
      EXPECT_THAT(cause_of(server, talk.dialect),
                  StartsWith("the server closed the connection before "))
          << to_text(talk.dialect) << said;
    }
  }
  ScriptedServer mute({});
  mute.closes = true;
  EXPECT_EQ(cause_of(mute, StartTls::smtp),
            "the server closed the connection before the server's greeting");
  ScriptedServer leaves({"220 a\r\n", "250-a\r\n250 b\r\n", "22"});
  leaves.closes = true;
  EXPECT_EQ(
      cause_of(leaves, StartTls::smtp),
      "the server closed the connection before the answer to STARTTLS; its last words: \"22\"");
}

TEST(AskForTls, PassesOnThatTheTimeIsUp) {
  ScriptedServer server({"220-a\r\n"});
  auto agreed = ask_for_tls(server, StartTls::smtp, "", {});
  EXPECT_EQ(agreed.error().code, Code::timed_out);
  EXPECT_EQ(agreed.error().cause,
            "no answer in time (the server's greeting); its last words: \"220-a\"");
}

TEST(AskForTls, StandsGarbage) {
  for (const Talk& talk : talks()) {
    for (const std::string& garbage :
         {"\xFF\xFE\x1B[2J\r\n"s, "\r\n"s, std::string(300, '\0'), "\x30\x80\0\0"s,
          "\x30\x02\x02\x09"s, "\x03\0\0\0\x0A"s, packet("\x0Aversion\0"s), packet("\xFF"),
          packet(""), ">"s, "TLS"s, "result 0: x"s, "\x15\x03\x01\0\x02\x02\x46"s}) {
      const std::string cause = cause_of({garbage, garbage, garbage}, talk.dialect);
      EXPECT_NE(cause, "it agreed") << to_text(talk.dialect);
      EXPECT_EQ(cause, printable(cause));
      EXPECT_LT(cause.size(), 2000U);
    }
  }
}

TEST(AskForTls, ReadsNoMoreThanItsBound) {
  for (const Talk& talk : talks()) {
    for (const char* piece : {"x", "220-x\r\n", "220 x\r\n", "250-x\r\n", "* x\r\n", "\"x\"\r\n",
                              "<x>", "<stream:error>", "\n"}) {
      for (size_t answers = 0; answers < talk.server.size(); ++answers) {
        ScriptedServer server(
            Texts(talk.server.begin(), talk.server.begin() + static_cast<long>(answers)));
        for (int i = 0; i < 100; ++i) server.for_ever += piece;
        EXPECT_NE(cause_of(server, talk.dialect), "it agreed") << to_text(talk.dialect) << piece;
        EXPECT_LE(server.said, 17 * 1024U) << to_text(talk.dialect) << piece;
      }
    }
  }
  ScriptedServer line({}), lines({});
  line.for_ever = std::string(1024, 'x');
  EXPECT_EQ(cause_of(line, StartTls::smtp), "no end of plain text after 17384 bytes");
  lines.for_ever = "<a>";
  EXPECT_EQ(cause_of(lines, StartTls::xmpp_client), "no end of plain text after 1500 bytes");
}

TEST(AskForTls, XmppNamesTheHostAsXmlDemands) {
  for (const auto& [name, to] : std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {"a'/><b c=\"&", " to='a&#39;/&#62;&#60;b c=&#34;&#38;'"}}) {
    ScriptedServer server({"", kFeatures, kProceed});
    EXPECT_TRUE(ask_for_tls(server, StartTls::xmpp_client, name, {}));
    EXPECT_EQ(server.heard.at(0), stream_header("client", to));
  }
}

}  // namespace
}  // namespace certrebind
