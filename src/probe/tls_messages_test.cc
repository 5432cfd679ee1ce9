// Bodies that OpenSSL's server sent are in lean_handshake_test.cc; here is what no server sends.
#include "probe/tls_messages.h"

#include <gtest/gtest.h>

#include <random>

#include "x509/testing.h"

namespace certrebind::tls13 {
namespace {

// A ServerHello's body as RFC 8446, section 4.1.3, has it.
struct HelloParts {
  size_t version = 0x0303, cipher = 0x1301, compression = 0, selected = 0x0304, group = 0x001d;
  std::string session_id = "", share = std::string(32, 'k');

  std::string body() const {
    std::string extensions = number(43, 2) + vector_of(number(selected, 2), 2) + number(51, 2) +
                             vector_of(number(group, 2) + vector_of(share, 2), 2);
    return number(version, 2) + std::string(32, 'r') + vector_of(session_id, 1) +
           number(cipher, 2) + number(compression, 1) + vector_of(extensions, 2);
  }
};

TEST(TlsMessages, FindsTheShareOfAServerThatAgrees) {
  EXPECT_EQ(share_in(HelloParts().body()), std::string(32, 'k'));
}

TEST(TlsMessages, AgreesToNothingElse) {
  EXPECT_FALSE(share_in(HelloParts{.version = 0x0302}.body()));
  EXPECT_FALSE(share_in(HelloParts{.cipher = 0x1302}.body()));
  EXPECT_FALSE(share_in(HelloParts{.compression = 1}.body()));
  EXPECT_FALSE(share_in(HelloParts{.selected = 0x0303}.body()));
  EXPECT_FALSE(share_in(HelloParts{.group = 0x0017}.body()));
  EXPECT_FALSE(share_in(HelloParts{.session_id = "resumed"}.body()));
  EXPECT_FALSE(share_in(HelloParts{.share = "short"}.body()));
  EXPECT_FALSE(share_in(HelloParts().body() + "more"));
}

std::string list_of(const std::vector<std::string>& certificates) {
  std::string list;
  for (const std::string& der : certificates) list += vector_of(der, 3) + vector_of("", 2);
  return vector_of("", 1) + vector_of(list, 3);
}

TEST(TlsMessages, ListsCertificatesOrNone) {
  TestAuthority authority;
  const std::string leaf = authority.issue().der, issuer = authority.issue().der;
  EXPECT_EQ(certificates_in(list_of({leaf, issuer})),
            (std::vector<std::string_view>{leaf, issuer}));
  EXPECT_TRUE(certificates_in(list_of({})).empty());
  EXPECT_TRUE(certificates_in(list_of({leaf, "garbage"})).empty());
  EXPECT_TRUE(certificates_in(list_of({leaf, ""})).empty());
  EXPECT_TRUE(certificates_in(list_of({leaf + "more"})).empty());
  EXPECT_TRUE(certificates_in(list_of({leaf}) + "more").empty());
}

// Cut anywhere and changed anywhere: an answer or none, and nothing read that is not there (which
// the address sanitizer would see).
TEST(TlsMessages, TakesAnythingApart) {
  const std::string list = list_of({TestAuthority().issue().der});
  const std::string share(32, 'k');
  std::mt19937 random(20);  // the same each time
  for (std::string whole : {HelloParts().body(), list, vector_of("signature", 2)}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      std::string exact(whole.substr(0, size));
      exact.shrink_to_fit();
      EXPECT_FALSE(share_in(exact)) << size;
      EXPECT_TRUE(certificates_in(exact).empty()) << size;
      (void)signature_in(exact);
    }
    for (int i = 0; i < 2000; ++i) {
      std::string changed = whole;
      for (int change = 0; change < 3; ++change)
        changed[random() % changed.size()] = static_cast<char>(random());
      for (std::string_view der : certificates_in(changed)) EXPECT_LE(der.size(), changed.size());
      EXPECT_EQ(share_in(changed).value_or(share).size(), 32U);
      EXPECT_LE(signature_in(changed).value_or(Signature()).bytes.size(), changed.size());
    }
  }
}

TEST(TlsMessages, OffersTheSignaturesOfAKind) {
  constexpr uint16_t kEcdsa = 0x0403, kPss = 0x0804, kEd25519 = 0x0807;
  EXPECT_TRUE(is_offered(kEcdsa, KeyType::ecdsa));
  EXPECT_FALSE(is_offered(kEcdsa, KeyType::rsa));
  EXPECT_TRUE(is_offered(kPss, KeyType::rsa));
  EXPECT_FALSE(is_offered(kPss, KeyType::ed25519));
  for (uint16_t scheme : {kEcdsa, kPss, kEd25519}) EXPECT_TRUE(is_offered(scheme, KeyType::other));
}

TEST(TlsMessages, ReadsASignature) {
  const std::string body = number(0x0403, 2) + vector_of("bytes", 2);
  auto signature = signature_in(body);
  ASSERT_TRUE(signature);
  EXPECT_EQ(signature->scheme, 0x0403);
  EXPECT_EQ(signature->bytes, "bytes");
  EXPECT_FALSE(signature_in(body + "more"));
}

}  // namespace
}  // namespace certrebind::tls13
