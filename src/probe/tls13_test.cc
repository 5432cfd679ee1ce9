#include "probe/tls13.h"

#include <gtest/gtest.h>

#include "x509/testing.h"

namespace certrebind::tls13 {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// RFC 8448, section 3: what two other programs agreed on.
TEST(Tls13, DerivesTheSecretsOfAPublishedTrace) {
  Secrets secrets(from_hex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"),
                  from_hex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8"));
  EXPECT_EQ(secrets.client_handshake(),
            from_hex("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"));
  EXPECT_EQ(secrets.server_handshake(),
            from_hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"));
  EXPECT_EQ(secrets.client_application(
                from_hex("9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13")),
            from_hex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"));
  EXPECT_EQ(finished_content(
                secrets.server_handshake(),
                from_hex("edb7725fa7a3473b031ec8ef65a2485493900138a2b91291407d7951a06110ed")),
            from_hex("9b9b141d906337fbd2cbdce71df4deda4ab42c309572cb7fffee5454b78f0718"));
}

TEST(Tls13, OpensWhatWasSealedInItsOrder) {
  RecordKeys sender(sha256("secret")), receiver(sha256("secret"));
  for (std::string content : {"first", "second", ""}) {
    auto opened = receiver.open(sender.seal(RecordType::handshake, content));
    ASSERT_TRUE(opened) << content;
    EXPECT_EQ(opened->type, RecordType::handshake);
    EXPECT_EQ(opened->content, content);
  }
}

TEST(Tls13, OpensNothingElse) {
  const std::string record = RecordKeys(sha256("secret")).seal(RecordType::handshake, "content");
  EXPECT_FALSE(RecordKeys(sha256("other")).open(record));
  for (size_t i = 0; i < record.size(); ++i) {
    std::string changed = record;
    changed[i] ^= 1;
    EXPECT_FALSE(RecordKeys(sha256("secret")).open(changed)) << i;
    EXPECT_FALSE(RecordKeys(sha256("secret")).open(record.substr(0, i))) << i;
  }
  RecordKeys sender(sha256("secret")), receiver(sha256("secret"));
  (void)sender.seal(RecordType::handshake, "lost");
  EXPECT_FALSE(receiver.open(sender.seal(RecordType::handshake, "out of order")));
}

TEST(Tls13, AgreesWithItsPeerAndNobodyElse) {
  KeyExchange one, other;
  EXPECT_EQ(one.agree(other.share()), other.agree(one.share()));
  EXPECT_TRUE(one.agree(other.share()));
  EXPECT_FALSE(one.agree(std::string(kSecretSize, '\0')));  // RFC 7748, section 6.1
  EXPECT_FALSE(one.agree("short"));
}

}  // namespace
}  // namespace certrebind::tls13
