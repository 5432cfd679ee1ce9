#include "service/described/addresses.h"

#include <gtest/gtest.h>

#include "sys/memory_files.h"

namespace certrebind::described {
namespace {

class AddressesTest : public testing::Test {
 protected:
  AddressesTest() { files_.put("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"); }
  // "TEXT=ADDRESS,…" for each, or "TEXT!" for what is not understood.
  std::vector<std::string> parse(const std::string& addresses, const std::string& port) {
    Root root("/", files_);
    HostNames hosts(root);
    std::vector<std::string> found;
    for (const ListenText& listen : parse_addresses(addresses, port, hosts)) {
      std::string text = listen.text + (listen.problem.empty() ? "=" : "!");
      for (const Address& address : listen.addresses) text += address.text() + " ";
      found.push_back(text);
    }
    return found;
  }

  MemoryFiles files_;
};

using Found = std::vector<std::string>;

TEST_F(AddressesTest, WithAPortApart) {
  EXPECT_EQ(parse("*, ::", "imaps"), (Found{"*:imaps=0.0.0.0:993 ", ":::imaps=[::]:993 "}));
  EXPECT_EQ(parse("localhost", "5432"), (Found{"localhost:5432=127.0.0.1:5432 [::1]:5432 "}));
  EXPECT_EQ(parse("", "25"), (Found{"*:25=0.0.0.0:25 "}));
  EXPECT_EQ(parse("10.0.0.1", "0"), Found{});
  EXPECT_EQ(parse("10.0.0.1", "unknown"), (Found{"10.0.0.1:unknown!"}));
}

TEST_F(AddressesTest, WithTheirOwnPort) {
  EXPECT_EQ(parse("127.0.0.1:993", ""), (Found{"127.0.0.1:993=127.0.0.1:993 "}));
  EXPECT_EQ(parse("[::1]:443", ""), (Found{"::1:443=[::1]:443 "}));
  EXPECT_EQ(parse(":443", ""), (Found{"*:443=0.0.0.0:443 "}));
  EXPECT_EQ(parse("8443", ""), (Found{"*:8443=0.0.0.0:8443 "}));
  EXPECT_EQ(parse("https://10.0.0.1:2379/x", ""), (Found{"10.0.0.1:2379=10.0.0.1:2379 "}));
  EXPECT_EQ(parse("::1@853", ""), (Found{"::1:853=[::1]:853 "}));
  EXPECT_EQ(parse("ldaps:///", ""), (Found{"*:ldaps=0.0.0.0:636 "}));
  EXPECT_EQ(parse("ldap://10.0.0.1", ""), (Found{"10.0.0.1:ldap=10.0.0.1:389 "}));
  EXPECT_EQ(parse("no.such.host:443", ""), (Found{"no.such.host:443!"}));
  EXPECT_EQ(parse("", ""), Found{});
}

}  // namespace
}  // namespace certrebind::described
