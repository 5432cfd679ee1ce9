#include "daemon/task_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/task_output.h"

namespace certrebind {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kDetails = R"({
  "old": {"thumbprint": "0a", "sha1": "0b", "names": ["old.example.com"], "path": "/old"},
  "new": {"thumbprint": "1a", "sha1": "1b", "subject": "a.example.com",
          "issuer": "Let's Encrypt R3", "names": ["a.example.com", "*.b.example.com"],
          "path": "/etc/letsencrypt/live/a/fullchain.pem"},
  "how": "same place", "renewer": "certbot", "lineage": "/etc/letsencrypt/live/a"})";

Event event_with(const std::string& details, EventId id = EventId::replaced) {
  return {.record = 17,
          .id = id,
          .at = {},
          .transaction = {},
          .service = "nginx:/etc/nginx/nginx.conf",
          .old_thumbprint = "0a",
          .new_thumbprint = "1a",
          .names = {"a.example.com", "*.b.example.com"},
          .message = "",
          .details = details};
}

Task task_for(std::set<int> events = {1001}) {
  Task task;
  task.name = "deploy";
  task.events = std::move(events);
  task.command = {"/bin/true"};
  return task;
}

bool is_triggered(const Task& task, const std::string& details = kDetails) {
  return triggers(task, facts_of(event_with(details)));
}

TEST(TaskNames, StarsAndCase) {
  EXPECT_TRUE(name_fits("*.example.com", "a.example.com"));
  EXPECT_TRUE(name_fits("*.example.com", "a.b.example.com"));
  EXPECT_TRUE(name_fits("*.Example.COM.", "A.example.com"));
  EXPECT_TRUE(name_fits("*.example.com", "*.example.com"));
  EXPECT_TRUE(name_fits("*", "localhost"));
  EXPECT_TRUE(name_fits("mail*.example.*", "mail3.example.net"));
  EXPECT_TRUE(name_fits("*.a.*.a", "x.a.a.y.a"));
  EXPECT_TRUE(name_fits("192.0.2.*", "192.0.2.7"));
  EXPECT_FALSE(name_fits("*.example.com", "example.com"));
  EXPECT_FALSE(name_fits("example.com", "a.example.com"));
  EXPECT_FALSE(name_fits("a.example.com", "*.example.com"));
  EXPECT_FALSE(name_fits("*.example.com", "a.example.com.evil"));
  EXPECT_FALSE(name_fits("*a", "a"));
  EXPECT_FALSE(name_fits("", "a"));
  EXPECT_FALSE(name_fits("a", ""));
  EXPECT_FALSE(name_fits(std::string("a\0", 2), "a"));
}

TEST(TaskNames, ManyStarsAreNotSlow) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  EXPECT_FALSE(name_fits(pattern + "b", std::string(5000, 'a')));
}

TEST(TaskTrigger, ById) {
  EXPECT_TRUE(is_triggered(task_for()));
  EXPECT_FALSE(is_triggered(task_for({1002, 2002})));
  EXPECT_FALSE(is_triggered(task_for({})));
  Task off = task_for();
  off.enabled = false;
  EXPECT_FALSE(is_triggered(off));
}

TEST(TaskTrigger, ByFilters) {
  auto with = [](auto set) {
    Task task = task_for();
    set(task.filter);
    return is_triggered(task);
  };
  EXPECT_TRUE(with([](TaskFilter& f) { f.names = {"nothing", "*.example.com"}; }));
  EXPECT_FALSE(with([](TaskFilter& f) { f.names = {"old.example.com"}; }));
  EXPECT_TRUE(with([](TaskFilter& f) { f.store = "/etc/letsencrypt"; }));
  EXPECT_TRUE(with([](TaskFilter& f) { f.store = "/"; }));
  EXPECT_FALSE(with([](TaskFilter& f) { f.store = "/etc/letsencrypt/live/b"; }));
  EXPECT_FALSE(with([](TaskFilter& f) { f.store = "/etc/lets"; }));
  EXPECT_TRUE(with([](TaskFilter& f) { f.issuer = "LET'S encrypt"; }));
  EXPECT_FALSE(with([](TaskFilter& f) { f.issuer = "DigiCert"; }));
  EXPECT_TRUE(with([](TaskFilter& f) { f.service = "nginx:/etc/nginx/nginx.conf"; }));
  EXPECT_FALSE(with([](TaskFilter& f) { f.service = "nginx:/other"; }));
  EXPECT_FALSE(with([](TaskFilter& f) {
    f.names = {"a.example.com"};
    f.issuer = "DigiCert";
  })) << "all must fit";
}

TEST(TaskTrigger, WhatTheEventDoesNotSayFitsNoFilter) {
  for (const char* details : {"", "{}", "[]", "broken", R"({"new": 5})", R"({"new": null})",
                              R"({"new": {"path": 5, "issuer": [], "names": "x"}})"}) {
    EXPECT_TRUE(is_triggered(task_for(), details)) << details;
    Task task = task_for();
    task.filter.names = {"a.example.com"};
    EXPECT_TRUE(is_triggered(task, details)) << "the event's own column has the names";
    task.filter = {};
    task.filter.store = "/";
    EXPECT_FALSE(is_triggered(task, details)) << details;
    task.filter = {};
    task.filter.issuer = "x";
    EXPECT_FALSE(is_triggered(task, details)) << details;
  }
}

TEST(TaskTrigger, NoLoops) {
  auto of_task = [](const std::string& task, int trigger) {
    return facts_of(
        event_with("{\"task\": \"" + task + "\", \"trigger\": " + std::to_string(trigger) + "}",
                   EventId::task_failed));
  };
  Task alarm = task_for({2014, 2015});
  EXPECT_TRUE(triggers(alarm, of_task("other", 1001)));
  EXPECT_TRUE(triggers(alarm, of_task("other", 0))) << "a timer's";
  EXPECT_FALSE(triggers(alarm, of_task("deploy", 1001))) << "its own failure";
  EXPECT_FALSE(triggers(alarm, of_task("other", 2015))) << "another alarm's failure";
  EXPECT_FALSE(triggers(alarm, of_task("other", 2014)));
}

TEST(TaskTrigger, AnEventMadeUpForOneTaskTriggersNone) {
  EXPECT_FALSE(is_triggered(task_for(), R"({"for_task": "other"})"));
  EXPECT_FALSE(is_triggered(task_for(), R"({"for_task": "deploy"})")) << "it has its run already";
  EXPECT_TRUE(is_of_interest(task_for(), facts_of(event_with(R"({"for_task": "deploy"})"))));
}

TEST(TaskCommand, VariablesAreFilledInAndNothingIsParsed) {
  Task task = task_for();
  task.command = {"/bin/echo",      "$(OldCertHash)", "$(NewCertHash)",
                  "$(OldCertSha1)", "$(NewCertSha1)", "$(EventRecordId)/$(EventId)",
                  "$(Names)",       "$(Path)",        "$(Lineage)",
                  "$(Service)",     "$(TaskName)",    "$x; `y` $"};
  Command command = command_for(task, facts_of(event_with(kDetails)), {}, "/root");
  EXPECT_THAT(
      command.arguments,
      ElementsAre("/bin/echo", "0a", "1a", "0b", "1b", "17/1001", "a.example.com *.b.example.com",
                  "/etc/letsencrypt/live/a/fullchain.pem", "/etc/letsencrypt/live/a",
                  "nginx:/etc/nginx/nginx.conf", "deploy", "$x; `y` $"));
}

TEST(TaskCommand, AValueIsNotLookedIntoAgain) {
  Event event = event_with(R"json({"new": {"path": "/x/$(TaskName)/$(bad)"}})json");
  Task task = task_for();
  task.command = {"/bin/echo", "$(Path)"};
  EXPECT_EQ(command_for(task, facts_of(event), {}, "/").arguments[1], "/x/$(TaskName)/$(bad)");
}

TEST(TaskCommand, EnvironmentIsWhole) {
  Task task = task_for();
  task.environment = {{"LANG", "de_DE.UTF-8"}, {"WHAT", "$(EventId)"}};
  Settings settings;
  Command command = command_for(task, facts_of(event_with(kDetails)), settings, "/home/x");
  EXPECT_THAT(
      *command.environment,
      ::testing::UnorderedElementsAre(
          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/home/x",
          "LANG=de_DE.UTF-8", "WHAT=1001", "RENEWED_LINEAGE=/etc/letsencrypt/live/a",
          "RENEWED_DOMAINS=a.example.com *.b.example.com", "CERTREBIND_EVENT_ID=1001",
          "CERTREBIND_EVENT_RECORD=17", "CERTREBIND_OLD=0a", "CERTREBIND_NEW=1a",
          "CERTREBIND_PATH=/etc/letsencrypt/live/a/fullchain.pem",
          "CERTREBIND_CONFIG=" + settings.config_file,
          "CERTREBIND_STATE=" + settings.state_directory,
          "CERTREBIND_RUN=" + settings.run_directory));
}

TEST(TaskCommand, WithoutALineageItsDirectoryServes) {
  Event event = event_with(R"({"new": {"path": "/srv/tls/a/cert.pem"}})");
  Command command = command_for(task_for(), facts_of(event), {}, "/");
  EXPECT_THAT(*command.environment, Contains("RENEWED_LINEAGE=/srv/tls/a"));
}

TEST(TaskCommand, WithoutAnEventAllIsEmpty) {
  Task task = task_for();
  task.command = {"/bin/echo", "[$(NewCertHash)$(EventRecordId)$(EventId)$(Names)$(Lineage)]"};
  Command command = command_for(task, {}, {}, "/");
  EXPECT_EQ(command.arguments[1], "[]");
  EXPECT_THAT(*command.environment, Contains("CERTREBIND_EVENT_ID="));
}

TEST(TaskCommand, ANameCannotSmuggleBytes) {
  Event event = event_with("{}");
  event.names = {std::string("a\0b", 3), "c\nd", "-o", "two words", "a.example.com"};
  Command command = command_for(task_for(), facts_of(event), {}, "/");
  EXPECT_THAT(*command.environment, Contains("RENEWED_DOMAINS=a.example.com"));
}

TEST(TaskOutput, KeysAreRemoved) {
  const std::string key =
      "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----";
  EXPECT_EQ(kept_output("a\n" + key + "\nb\n"), "a\n[private key removed]\nb\n");
  EXPECT_EQ(kept_output(key + key), "[private key removed][private key removed]");
  EXPECT_EQ(kept_output("x -----BEGIN PRIVATE KEY-----\nc2Vj"), "x [private key removed]");
  EXPECT_EQ(kept_output("c2Vj\n-----END EC PRIVATE KEY-----\nb"), "[private key removed]\nb");
  EXPECT_EQ(kept_output("c2Vj\n-----END PRIVATE KEY-----\n" + key),
            "[private key removed]\n[private key removed]");
  const std::string certificate = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(kept_output(certificate), certificate);
  EXPECT_EQ(kept_output(certificate + key), certificate + "[private key removed]");
  EXPECT_EQ(kept_output(""), "");
}

TEST(TaskOutput, TheEndIsKept) {
  std::string kept = kept_output(std::string(100'000, 'x') + "last");
  EXPECT_EQ(kept.size(), 64U * 1024);
  EXPECT_TRUE(kept.ends_with("xlast"));
  // A key that begins before the stored part.
  std::string key = "-----BEGIN PRIVATE KEY-----\n" + std::string(70'000, 'k') +
                    "\n-----END PRIVATE KEY-----\nlast";
  EXPECT_EQ(kept_output(key), "[private key removed]\nlast");
}

}  // namespace
}  // namespace certrebind
